"""Views: seeded crops and flips of photos, so that T and S can be shown the very same pixels, epoch after epoch."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from thumbnet.photos import SIDE, Photos


@dataclass(frozen=True)
class Views:
    """`rounds` views of each photo; view `i` is view `i // N` of photo `i % N`.

    Round 0 is the whole photos. The others are random resized crops (area `min_area`..1, aspect 3/4..4/3), each
    flipped with probability 1/2. A view depends on nothing but seed and index: what the teacher says of it can be
    computed once and kept ("a good teacher is patient and consistent", Beyer et al. 2022), and more rounds keep the
    first ones.
    """

    photos: Photos
    rounds: int = 1
    min_area: float = 0.35
    seed: int = 0

    def __len__(self) -> int:
        return len(self.photos) * self.rounds

    def labels(self, indices: np.ndarray) -> np.ndarray:
        """Labels of views, int64, -1 where unknown."""
        return self.photos.labels[indices % len(self.photos)]

    def pixels(self, index: int) -> np.ndarray:
        """One view, uint8 [224,224,3]."""
        round_, row = divmod(index, len(self.photos))
        photo = np.asarray(self.photos.pixels[row])
        if round_ == 0:
            return photo
        random = np.random.default_rng([self.seed, round_, row])
        area, ratio = random.uniform(self.min_area, 1), np.exp(random.uniform(np.log(3 / 4), np.log(4 / 3)))
        width, height = (min(1.0, np.sqrt(area * r)) * SIDE for r in (ratio, 1 / ratio))
        left, top = random.uniform(0, SIDE - width), random.uniform(0, SIDE - height)
        box = (left, top, left + width, top + height)
        view = np.asarray(Image.fromarray(photo).resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box))
        return view[:, ::-1] if random.random() < 0.5 else view

    def batch(self, indices: np.ndarray) -> np.ndarray:
        """Views, uint8 [N,224,224,3]."""
        return np.stack([self.pixels(index) for index in indices.tolist()])

    def round_name(self, round_: int) -> str:
        """Tells one round of views from another in cached results."""
        return f"{self.photos.fingerprint}-{f'{round_}-{self.min_area}-{self.seed}' if round_ else 'whole'}"


def shuffled(count: int, batch: int, step: int, seed: list[int]) -> np.ndarray:
    """Indices of batch `step` of an endless sequence of shuffled passes over `count` items.

    A pure function of its arguments: a resumed run sees the very batches an uninterrupted one would.
    """
    wanted = np.arange(step * batch, (step + 1) * batch)
    epochs = wanted // count
    orders = {e: np.random.default_rng([*seed, int(e)]).permutation(count) for e in np.unique(epochs)}
    return np.array([orders[e][w % count] for e, w in zip(epochs, wanted, strict=True)])
