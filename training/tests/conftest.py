from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from thumbnet.config import Config, Schedule, Weights

TEACHER = "test_efficientnet"  # timm's own tiny network for tests


def paint(kind: int, seed: int) -> Image.Image:
    """A photo-like picture: a smooth gradient, noise, and a disc (kind 0) or bars (kind 1) in a random colour."""
    random = np.random.default_rng([kind, seed])
    y, x = np.mgrid[0:224, 0:224] / 224
    picture = np.stack([x * random.random() + y * random.random() for _ in range(3)], axis=2) * 120
    centre = random.uniform(0.3, 0.7, 2)
    shape = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < 0.04 if kind == 0 else np.sin(40 * (x + centre[0])) > 0
    picture[shape] += random.uniform(40, 135, 3)
    picture += random.normal(0, 6, picture.shape)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    return np.asarray(paint(1, 99))


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for part, count in (("train", 6), ("val", 4)):
        for kind, name in enumerate(("disc", "bars")):
            (folder / part / name).mkdir(parents=True)
            for i in range(count):
                paint(kind, i + 100 * (part == "val")).save(folder / part / name / f"{name}{i}.png")
    paint(0, 7).save(folder / "train" / "disc" / "ILSVRC2012_val_00000007.png")
    paint(0, 8).save(folder / "val" / "disc" / "ILSVRC2012_val_00000008.png")
    return folder


@pytest.fixture(scope="session")
def tiny(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """All four phases, two steps each, with a tiny teacher."""
    folder = tmp_path_factory.mktemp("teacher")
    torch.manual_seed(0)
    torch.save(timm.create_model(TEACHER, num_classes=2).state_dict(), folder / "teacher.pt")
    return Config(
        data=data,
        out=folder / "run",
        cache=folder / "cache",
        teacher=TEACHER,
        teacher_weights=folder / "teacher.pt",
        teacher_classes=2,
        views=2,
        width=8,
        decoder_width=8,
        downscaler_lr=1.0,
        reconstruct=Schedule(3, 4, 1e-3),
        restore=Schedule(2, 4, 1e-3),
        mapping=Schedule(2, 4, 1e-3),
        learn=Schedule(3, 4, 1e-3),
        weights=Weights(cl=0.5, fm=0.1),
        threads=1,
    )


@pytest.fixture
def config(tiny: Config, tmp_path: Path) -> Config:
    """The same with a run folder of its own; decoded photos and the teacher's answers are shared."""
    return replace(tiny, out=tmp_path / "run")
