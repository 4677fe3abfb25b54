"""Photos of classes that a pool shows rarely, shown more often.

A pool of photos shows some of a teacher's thousand classes a thousand times and others never. With `share` 0 each photo
is drawn alike, with 1 each class that the teacher sees in any of them; between, a class that is n times as frequent is
drawn n^(1 - share) times as often (Mahajan et al. 2018, Exploring the limits of weakly supervised pretraining, draw by
the square root: 0.5). ThumbNet's paper does not do this: its photos show all classes alike.
"""

import numpy as np


def chances_of(logits: list[np.ndarray], share: float) -> np.ndarray:
    """How likely each view is to be drawn: [views], sums to 1. `logits`: the teacher's by round, each [N,C]."""
    classes = np.concatenate([np.asarray(rows).argmax(axis=1) for rows in logits])
    weights = np.bincount(classes)[classes] ** -float(share)
    return weights / weights.sum()


def drawn(chances: np.ndarray, batch: int, step: int, seed: list[int]) -> np.ndarray:
    """Indices of batch `step`, each view at most once in it if there are enough: a pure function of its arguments."""
    again = batch > len(chances)
    return np.random.default_rng([*seed, step]).choice(len(chances), batch, replace=again, p=chances)
