"""Layers that E and D share."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class ResidualPair(nn.Module):
    """x + conv(relu(conv(x))), both 3x3; [N,width,h,w] in and out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(width, width, 3, padding=1)
        self.two = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Add the pair's correction."""
        return features + self.two(functional.relu(self.one(features)))


class Context(nn.Module):
    """What the whole picture adds to each place: residual pairs at a quarter of the size; [N,channels,h,w] in and out.

    It answers nothing until it is trained.
    """

    SCALE = 4
    PAIRS = 3

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(channels, width, self.SCALE, stride=self.SCALE)
        self.pairs = nn.Sequential(*(ResidualPair(width) for _ in range(self.PAIRS)))
        self.up = nn.Conv2d(width, channels * self.SCALE**2, 1)
        start_at_zero(self.up)

    def forward(self, features: Tensor) -> Tensor:
        """Look at the whole."""
        return functional.pixel_shuffle(self.up(self.pairs(functional.relu(self.down(features)))), self.SCALE)


class ThumbnailLayers(nn.Module):
    """Convolutions at the thumbnail's own size: 5x5 3->width, `pairs` residual pairs, 3x3 width->channels.

    `context`: channels of a `Context` before the last of them; 0: none. `bfloat16`: train them in bfloat16 (sums,
    weights and everything after training stay float32).
    """

    def __init__(self, width: int, pairs: int, channels: int, bfloat16: bool, context: int = 0) -> None:
        super().__init__()
        self.rough = bfloat16
        self.first = nn.Conv2d(3, width, 5, padding=2)
        self.residual = nn.Sequential(*(ResidualPair(width) for _ in range(pairs)))
        self.context = Context(width, context) if context else None
        self.last = nn.Conv2d(width, channels, 3, padding=1)

    def features(self, thumbnail: Tensor) -> Tensor:
        """What the last layer reads: [N,width,s,s]."""
        features = self.residual(functional.relu(self.first(thumbnail)))
        return features + self.context(features) if self.context else features

    def maps(self, thumbnail: Tensor) -> Tensor:
        """[N,3,s,s] -> float [N,channels,s,s]."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training and self.rough):
            maps = self.last(self.features(thumbnail))
        return maps.float()


def start_at_zero(layer: nn.Conv2d) -> None:
    """Let a layer answer nothing until it is trained, so that a residual network starts as its shortcut."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
