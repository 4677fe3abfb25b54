"""What a run refuses before it costs anything, and what it lets pass."""

from dataclasses import replace
from pathlib import Path

import pytest

from thumbnet.config import Config, Schedule, Weights
from thumbnet.export import export
from thumbnet.export_options import Export
from thumbnet.refusals import require_options
from thumbnet.run import train

NONE = Schedule(0, 4, 1e-3)


@pytest.fixture
def short(config: Config) -> Config:
    """One step of a student on bicubic thumbnails."""
    return replace(
        config, downscaler_lr=0.0, reconstruct=NONE, restore=NONE, mapping=NONE, learn=Schedule(1, 4, 1e-3),
        weights=Weights(),
    )  # fmt: skip


@pytest.mark.parametrize("served", [False, True], ids=["of a run", "served"])
def test_a_student_of_other_strides_is_refused_though_its_weights_fit(
    served: bool, short: Config, tmp_path: Path
) -> None:
    wide = replace(short, out=tmp_path / "wide", early_strides=1)
    train(wide)
    export(Export(run=wide.out, models=tmp_path / "models"))
    student = tmp_path / "models" / "student-56" if served else wide.out / "models.pt"
    train(replace(short, student=student, early_strides=1))
    for other in (0, 2):
        with pytest.raises(ValueError, match="--early-strides"):
            train(replace(short, out=tmp_path / f"{other}", student=student, early_strides=other))


def test_a_student_of_a_run_says_what_else_it_was_made_with(short: Config, tmp_path: Path) -> None:
    train(short)
    begun = replace(short, out=tmp_path / "begun", student=short.out / "models.pt")
    for changes, option in (({"folded": True}, "folded"), ({"arch": "test_resnet"}, "arch")):
        with pytest.raises(ValueError, match=f"holds a student of --{option}"):
            train(replace(begun, **changes, out=tmp_path / option))
    train(replace(begun, arch=short.teacher))  # the same by another name
    (short.out / "config.json").unlink()
    train(replace(begun, out=tmp_path / "untold"))


def test_a_downscaler_without_a_restorer_beside_it_is_enough(short: Config, tmp_path: Path) -> None:
    first = replace(short, reconstruct=Schedule(1, 4, 1e-3))
    train(first)
    export(Export(run=first.out, models=tmp_path / "models"))
    begun = replace(short, out=tmp_path / "begun", downscaler=tmp_path / "models" / "downscaler-56")
    train(begun)
    assert "psnr" in train(replace(begun, out=tmp_path / "restorer", restore=Schedule(1, 4, 1e-3)))


def test_photos_to_measure_on_are_not_trained_on(short: Config, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(short.data / "val")
    for pool in (short.data / "val", short.data / "val" / "disc", short.data, tmp_path / "link"):
        with pytest.raises(ValueError, match="which the run is measured on"):
            require_options(replace(short, unlabelled=pool))
    require_options(replace(short, unlabelled=short.data / "train"))
    require_options(replace(short, unlabelled=short.data / "val-further"))
