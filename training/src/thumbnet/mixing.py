"""CutMix and flips: further pictures to learn from, for which the teacher need not be asked again."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Mixed:
    """A batch after mixing. The teacher's answer to row i is `share[i]` of its own and the rest of its partner's."""

    pixels: np.ndarray  # uint8 [N,H,W,3]
    partners: np.ndarray  # int64 [N]
    share: np.ndarray  # float32 [N] in 0..1: how much of each picture is its own


def mix(pixels: np.ndarray, labelled: np.ndarray, cutmix: float, flip: bool, random: np.random.Generator) -> Mixed:
    """Paste a rectangle of another picture into `cutmix` of them (Yun et al. 2019), and flip half of them.

    `pixels`: uint8 [N,H,W,3]; `labelled`: bool [N]. Partners are labelled like the picture itself, so that what is
    known of one is known of both. The rectangle's area is uniform in 0..1, as in that paper; a flipped photo is taken
    to have the photo's own answer. The ThumbNet paper has neither.
    """
    count, height, width = pixels.shape[:3]
    flipped = np.flatnonzero(random.random(count) < 0.5) if flip else np.zeros(0, dtype=np.int64)
    own = pixels.copy()
    own[flipped] = own[flipped, :, ::-1]
    partners = np.arange(count)
    for group in (np.flatnonzero(labelled), np.flatnonzero(~labelled)):
        partners[group] = random.permutation(group)
    share = np.ones(count, dtype=np.float32)
    result = own.copy()
    for row in np.flatnonzero(random.random(count) < cutmix):
        side = np.sqrt(random.random())
        middle_y, middle_x = random.random(2) * (height, width)
        top, bottom = (round(np.clip(middle_y + s * side * height / 2, 0, height)) for s in (-1, 1))
        left, right = (round(np.clip(middle_x + s * side * width / 2, 0, width)) for s in (-1, 1))
        result[row, top:bottom, left:right] = own[partners[row], top:bottom, left:right]
        share[row] = 1 - (bottom - top) * (right - left) / (height * width)
    return Mixed(result, partners, share)
