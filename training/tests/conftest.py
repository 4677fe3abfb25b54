from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from pictures import paint

from thumbnet.config import Config, Schedule, Weights

TEACHER = "test_efficientnet"  # timm's own tiny network for tests


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
