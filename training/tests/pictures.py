"""Pictures made by script, so that the tests need no data set."""

import numpy as np
from PIL import Image


def paint(kind: int, seed: int) -> Image.Image:
    """A photo-like picture: a smooth gradient, noise, and a disc (kind 0) or bars (kind 1) in a random colour."""
    random = np.random.default_rng([kind, seed])
    y, x = np.mgrid[0:224, 0:224] / 224
    picture = np.stack([x * random.random() + y * random.random() for _ in range(3)], axis=2) * 120
    centre = random.uniform(0.3, 0.7, 2)
    shape = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < 0.04 if kind == 0 else np.sin(90 * (x + centre[0])) > 0
    picture[shape] += random.uniform(40, 135, 3)
    picture += random.normal(0, 1, picture.shape)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))
