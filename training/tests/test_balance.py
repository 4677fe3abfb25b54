from dataclasses import replace

import numpy as np
import pytest

from thumbnet.balance import chances_of, drawn
from thumbnet.config import Config, Weights
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


def test_a_run_draws_its_unlabelled_photos_by_their_classes(config: Config) -> None:
    pool = replace(config, unlabelled=config.data / "val", unlabelled_share=0.5, weights=Weights(cl=0.5))
    balanced = replace(pool, out=config.out.with_name("balanced"), balance=1.0)
    train(pool)
    train(balanced)
    histories = [(run.out / "history.json").read_text() for run in (pool, balanced)]
    assert histories[0] != histories[1]


def test_without_unlabelled_photos_there_is_nothing_to_balance(config: Config) -> None:
    with pytest.raises(ValueError, match="--balance draws among --unlabelled photos"):
        train(replace(config, balance=0.5))
