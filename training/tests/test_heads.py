from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from thumbnet.config import Codec, Config, Schedule, read_config
from thumbnet.export import export
from thumbnet.export_options import Export
from thumbnet.networks import load_run
from thumbnet.pixels import to_unit
from thumbnet.run import StoppedEarlyError, train

NONE = Schedule(0, 4, 1e-3)
NAMES = ("student-56", "student-56-low-stride")


@pytest.fixture(scope="module")
def models(tiny: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a downscaler and two students of it."""
    folder = tmp_path_factory.mktemp("served")
    plain = replace(tiny, out=folder / "run", mapping=NONE, downscaler_lr=0.0)
    train(plain)
    export(Export(run=plain.out, models=folder / "models"))
    wide = replace(
        plain, out=folder / "wide", downscaler=plain.out / "models.pt", early_strides=1, reconstruct=NONE, restore=NONE
    )
    train(wide)
    export(Export(run=wide.out, models=folder / "models", parts=("student",), suffix="-low-stride"))
    return folder / "models"


@pytest.fixture
def joint(config: Config, models: Path) -> Config:
    return replace(
        config, downscaler=models.parent / "run" / "models.pt", heads=tuple(models / name for name in NAMES),
        reconstruct=NONE, restore=Schedule(3, 4, 1e-2), mapping=NONE, learn=NONE,
        codec=Codec("webp", share=0.5, restored=False),
    )  # fmt: skip


def served(folder: Path, image: np.ndarray) -> np.ndarray:
    return np.asarray(onnxruntime.InferenceSession(folder / "1" / "model.onnx").run(None, {"thumbnail": image})[0])


def test_students_of_a_repository_or_of_runs_start_in_phase_two_as_they_are(joint: Config, models: Path) -> None:
    runs = tuple(models.parent / name for name in ("run", "wide"))
    still = replace(joint, restore=Schedule(1, 4, 0.0), heads=(*joint.heads, *runs))
    train(still)
    thumbnail = np.random.default_rng(0).integers(0, 256, (2, 56, 56, 3), dtype=np.uint8)
    _, networks = load_run(read_config(still.out / "config.json"), still.out)
    for name, run in zip(NAMES, runs, strict=True):
        for head in (networks.heads[name], networks.heads[run.name]):
            with torch.no_grad():
                own = head(to_unit(torch.from_numpy(thumbnail))).logits.numpy()
            assert np.allclose(own, served(models / name, thumbnail), rtol=1e-2, atol=1e-2)


def test_one_downscaler_and_all_who_read_it_learn_together_and_are_exported(joint: Config, tmp_path: Path) -> None:
    result = train(joint)
    assert sorted(result["heads"]) == sorted(NAMES) and result["restored"]["all"]["images"] == 9
    before = torch.load(joint.downscaler or Path(), weights_only=True)["downscaler"]
    after = torch.load(joint.out / "models.pt", weights_only=True)["downscaler"]
    assert not torch.equal(before["last.weight"], after["last.weight"])
    own = tmp_path / "models"
    export(Export(run=joint.out, models=own, parts=("downscaler", "restorer")))
    thumbnail = np.random.default_rng(1).integers(0, 256, (2, 56, 56, 3), dtype=np.uint8)
    _, networks = load_run(joint, joint.out)
    for name, kind in zip(NAMES, ("student", "student-low-stride"), strict=True):
        export(Export(run=joint.out, models=own, parts=("student",), head=name, suffix=name.removeprefix("student-56")))
        assert f'"head": "{kind}"' in (own / name / "card.json").read_text()
        with torch.no_grad():
            wanted = networks.heads[name](to_unit(torch.from_numpy(thumbnail))).logits.numpy()
        assert np.allclose(served(own / name, thumbnail), wanted, rtol=1e-2, atol=1e-2)


def test_joint_training_resumes_exactly(joint: Config, tmp_path: Path) -> None:
    train(joint)
    again = replace(joint, out=tmp_path / "again")
    with pytest.raises(StoppedEarlyError):
        train(again, stop_at=(1, 2))
    train(again)
    one, other = (torch.load(run.out / "models.pt", weights_only=True) for run in (joint, again))
    for name, weights in one.items():
        assert all(torch.equal(value, other[name][key]) for key, value in weights.items()), name
