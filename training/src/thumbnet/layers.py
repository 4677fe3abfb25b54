"""Layers that E and D share."""

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


def start_at_zero(layer: nn.Conv2d) -> None:
    """Let a layer answer nothing until it is trained, so that a residual network starts as its shortcut."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
