"""Training on a part of the labelled photos, for curves of accuracy over photos."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from thumbnet.config import Config, Schedule
from thumbnet.feed import Source
from thumbnet.photos import read_folder
from thumbnet.run import train
from thumbnet.views import Views


def test_every_nth_photo_is_drawn_in_all_of_its_views_and_no_other(data: Path, tmp_path: Path) -> None:
    photos = read_folder(data / "train", tmp_path)  # 13
    for every, kept in ((1, list(range(13))), (5, [0, 5, 10]), (6, [0, 6, 12])):
        source = Source(Views(photos, 3), every=every)
        drawn = np.concatenate([source.batch(len(kept), step, [0]) for step in range(3)])
        assert sorted(drawn.tolist()) == [13 * round_ + row for round_ in range(3) for row in kept]


def test_a_run_learns_from_the_part_and_is_measured_on_all_of_val(config: Config, tmp_path: Path) -> None:
    none = Schedule(0, 4, 1e-3)
    short = replace(
        config, downscaler_lr=0.0, reconstruct=none, restore=none, mapping=none, learn=Schedule(1, 2, 1e-3),
        weights=replace(config.weights, fm=0.0),
    )  # fmt: skip
    assert train(replace(short, out=tmp_path / "part", labelled_every=3))["student"]["all"]["images"] == 9
    train(replace(short, out=tmp_path / "least", labelled_every=11))
    with pytest.raises(ValueError, match="--labelled-every 12 leaves no photo of disc"):
        train(replace(short, out=tmp_path / "too few", labelled_every=12))


@pytest.mark.parametrize("option", ["labelled_every", "unlabelled_every"])
def test_a_part_of_none_is_refused(option: str, config: Config) -> None:
    with pytest.raises(ValueError, match=f"--{option.replace('_', '-')} takes every n-th"):
        train(replace(config, **{option: 0}))
