import json
from pathlib import Path
from typing import Any

import pytest

from thumbnet.card import part_of
from thumbnet.model_tables import heads_table
from thumbnet.seeds import gain
from thumbnet.targets import targets_table, verdict


def card(folder: Path, name: str, side: int, flops: float, evaluation: dict[str, float], **other: Any) -> None:
    entries = [{"dataset": data, "value": value} for data, value in evaluation.items()]
    described = {"name": name, "role": "student", "classes": 10, "flops": flops, "evaluation": entries}
    (folder / name).mkdir()
    told = described | {"input": {"shape": [-1, side, side, 3]}} | other
    (folder / name / "card.json").write_text(json.dumps(told))


def test_the_heads_of_a_thumbnail_stand_together_the_cheapest_first(tmp_path: Path) -> None:
    card(tmp_path, "student-112", 112, 100e6, {"Flowers": 97.0})
    card(tmp_path, "restored-56", 56, 700e6, {"Flowers": 96.0, part_of("Flowers", "imagenet_val"): 95.0, "Trees": 80.5})
    card(tmp_path, "student-56", 56, 30e6, {"Flowers": 88.0})
    card(tmp_path, "restorer-56", 56, 300e6, {"Flowers": 96.0}, role="restorer")
    assert heads_table(tmp_path).splitlines()[2:] == [
        "| 56 px | student-56 | 30 | 10 | 88.00 |  |",
        "| 56 px | restored-56 | 700 | 10 | 96.00 | 80.50 |",
        "| 112 px | student-112 | 100 | 10 | 97.00 |  |",
    ]


@pytest.mark.parametrize(
    ("measured", "goal", "floor", "reached"),
    [
        (0.3, 0.3, 1.0, "goal"),
        (0.31, 0.3, 1.0, "floor"),
        (1.0, 0.3, 1.0, "floor"),
        (1.01, 0.3, 1.0, "**missed**"),
        (2.0, 2.0, 1.0, "goal"),
        (1.99, 2.0, 1.0, "floor"),
        (0.99, 2.0, 1.0, "**missed**"),
    ],
)
def test_a_target_s_goal_and_floor_are_told_apart(measured: float, goal: float, floor: float, reached: str) -> None:
    assert verdict(measured, goal, floor) == reached


def test_a_gain_is_judged_by_the_seeds_that_are_least_apart() -> None:
    found = gain([95.0, 97.0], [93.0, 94.0])
    assert (found.middle, found.least) == (2.5, 1.0)


@pytest.mark.parametrize(
    ("ours", "theirs", "row"),
    [
        ([95.0, 99.0], [93.0], "| 2 | 1 | +4.0 (least +2.0) | goal |"),
        ([95.0, 98.0], [94.0, 93.0], "| 2 | 1 | +3.0 (least +1.0) | floor |"),  # the mean alone would reach the goal
        ([95.0], [94.5, 88.0], "| 2 | 1 | +3.8 (least +0.5) | **missed** |"),
        ([95.0], [93.04], "| 2 | 1 | +2.0 | goal |"),  # as shown: 1.96
        ([95.0], [93.06], "| 2 | 1 | +1.9 | floor |"),
    ],
)
def test_a_target_s_gain_is_judged_by_what_is_shown_of_the_least_seeds(
    ours: list[float], theirs: list[float], row: str, tmp_path: Path
) -> None:
    runs = {
        name: [{"result": {"student": {"all": {"top1": top1}}}} for top1 in scores]
        for name, scores in (("student-56-gentle", ours), ("student-56-gentle-bicubic", theirs))
    }
    lines = targets_table(tmp_path, runs, {}).splitlines()[2:]
    assert len(lines) == 1 and row in lines[0]
