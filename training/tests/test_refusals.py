"""What a run refuses before it costs anything, and what it lets pass."""

import shlex
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tyro

from thumbnet.config import Codec, Config, Schedule, Weights
from thumbnet.experiments import expand
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


@pytest.mark.parametrize(
    ("changes", "message", "allowed"),
    [
        ({"freeze_downscaler": True, "downscaler_lr": 1.0}, "--freeze-downscaler leaves E", {"downscaler_lr": 0.0}),
        (
            {"weight_average": 0.5, "folded": True, "stem_width": 8, "downscaler_lr": 1.0},
            "--weight-average goes back to a stem",
            {"downscaler_lr": 0.0},
        ),
        ({"stem_width": 8, "early_strides": 1}, "--stem-width stands for", {"early_strides": 0}),
        ({"stem_width": 8, "arch": "test_resnet"}, "--stem-width stands for", {"stem_width": 0}),
        ({"teacher_weights": None}, "--teacher-classes counts", {"teacher_classes": 1000}),
        ({"weights": Weights(rate=0.1)}, "--weights.rate asks an E", {"downscaler_lr": 1.0}),
        (
            {"weights": Weights(rate=0.1), "restore": Schedule(1, 4, 1e-3), "freeze_downscaler": True},
            "--weights.rate asks an E",
            {"freeze_downscaler": False},
        ),
        ({"codec": Codec("jpg")}, "--codec.format is webp, jpeg, avif, not jpg", {"codec": Codec("jpeg")}),
        ({"codec": Codec("webp", 61, 60)}, "61 and .* 60 are no range", {"codec": Codec("webp", 60, 60)}),
        ({"codec": Codec("webp", 0, 60)}, "are no range of qualities", {"codec": Codec("webp", 1, 100)}),
        (
            {"heads": (Path("a/one"), Path("b/one"))},
            "two --heads are called one",
            {"heads": (Path("one"), Path("two"))},
        ),
    ],
)
def test_options_that_contradict_each_other_or_do_nothing_are_refused(
    changes: dict[str, Any], message: str, allowed: dict[str, Any], short: Config
) -> None:
    with pytest.raises(ValueError, match=message):
        require_options(replace(short, **changes))
    require_options(replace(short, **(changes | allowed)))


@pytest.mark.parametrize("served", [False, True], ids=["of a run", "served"])
def test_heads_of_another_size_are_refused(served: bool, short: Config, tmp_path: Path) -> None:
    first = replace(short, size=112)
    train(first)
    export(Export(run=first.out, models=tmp_path / "models"))
    head = tmp_path / "models" / "student-112" if served else first.out
    joint = replace(short, out=tmp_path / "joint", heads=(head,), restore=Schedule(1, 4, 1e-3), learn=NONE)
    with pytest.raises(ValueError, match="reads thumbnails of 112 pixels, and this run makes some of 56"):
        train(joint)


def test_no_published_run_is_refused() -> None:
    listed = expand(tomllib.loads((Path(__file__).parents[1] / "experiments.toml").read_text())["run"])
    values = {name: name for name in ("runs", "cache", "data", "flowers", "pool", "further")}
    for run in listed:
        words = [word.format(**values) for word in shlex.split(run["options"])]
        require_options(replace(tyro.cli(Config, args=["--out", run["name"], *words]), ending_of=None))
