from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pictures import paint

from thumbnet.answers import Answers
from thumbnet.balance import chances_of, drawn
from thumbnet.config import Config, Schedule, Weights
from thumbnet.run import train

# a teacher that sees class 0 on four views of two rounds, class 2 on one
SEEN = [np.array([[9, 0, 0], [9, 0, 0], [0, 0, 9]]), np.array([[9, 0, 0], [9, 0, 0]])]


@pytest.mark.parametrize(
    ("share", "rare"),
    [(0.0, 1 / 5), (0.5, 1 / 3), (1.0, 1 / 2)],
)
def test_a_class_four_times_as_frequent_is_drawn_so_many_times_as_often(share: float, rare: float) -> None:
    chances = chances_of(SEEN, share)
    assert chances.sum() == pytest.approx(1)
    assert chances[2] == pytest.approx(rare)
    assert chances[[0, 1, 3, 4]].tolist() == pytest.approx([(1 - rare) / 4] * 4)


def test_views_are_drawn_by_their_chances_and_a_batch_depends_on_seed_and_step_alone() -> None:
    chances = np.array([0.1, 0.1, 0.1, 0.7])
    found = np.concatenate([drawn(chances, 1, step, [5]) for step in range(2000)])
    assert np.mean(found == 3) == pytest.approx(0.7, abs=0.05)
    assert drawn(chances, 2, 7, [5]).tolist() == drawn(chances, 2, 7, [5]).tolist()
    assert {tuple(drawn(chances, 2, step, [5])) for step in range(20)} != {tuple(drawn(chances, 2, 7, [5]))}
    assert sorted(drawn(chances, 4, 0, [5]).tolist()) == [0, 1, 2, 3]


def test_a_run_draws_its_unlabelled_photos_by_their_classes(
    config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for seed in range(4):
        paint(seed % 2, 200 + seed).save(tmp_path / f"{seed}.png")
    seen: list[list[float]] = []

    def note(chances: np.ndarray, batch: int, step: int, seed: list[int]) -> np.ndarray:
        seen.append(chances.tolist())
        return drawn(chances, batch, step, seed)

    answers = Answers([np.array([[9, 0], [9, 0], [9, 0], [0, 9]])], [], [])
    monkeypatch.setattr("thumbnet.material.teacher_answers", lambda *_: answers)
    monkeypatch.setattr("thumbnet.feed.drawn", note)
    none = Schedule(0, 4, 1e-3)
    pool = replace(config, unlabelled=tmp_path, unlabelled_share=0.5, restore=none, mapping=none, learn=none)
    pool = replace(pool, weights=Weights())
    train(pool)
    assert not seen  # all views in turn
    train(replace(pool, out=config.out.with_name("balanced"), balance=1.0))
    assert seen and all(chances == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2]) for chances in seen)


def test_without_unlabelled_photos_there_is_nothing_to_balance(config: Config) -> None:
    with pytest.raises(ValueError, match="--balance draws among --unlabelled photos"):
        train(replace(config, balance=0.5))
