"""E, the downscaler: a photo of 224x224 in, one small natural-looking image out."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from thumbnet.layers import ResidualPair, start_at_zero
from thumbnet.pixels import shrink_border, shrink_kernel


class Downscaler(nn.Module):
    """E = bicubic + a small residual network that works at the thumbnail's resolution.

    The paper does not give E's layers; we use pixel-unshuffle by the factor r, a 3x3 convolution, `pairs`
    residual pairs of 3x3 convolutions and a 3x3 convolution to RGB, added to the antialiased bicubic thumbnail.
    The last layer starts at zero, so an untrained E *is* bicubic. `width=0` leaves only bicubic: the baseline.

    `bfloat16`: train the convolutions in bfloat16 (bicubic, sums, weights and everything after training stay float32).

    Input float [N,3,H,W] in 0..1, output float [N,3,H/r,W/r], not yet rounded or clamped.
    """

    bicubic: Tensor
    border: Tensor

    def __init__(self, size: int, source: int = 224, width: int = 24, pairs: int = 1, bfloat16: bool = False) -> None:
        super().__init__()
        if source % size:
            raise ValueError(f"the thumbnail's size must divide {source}; {size} does not")
        self.size, self.source, self.width, self.pairs = size, source, width, pairs
        self.factor, self.rough = source // size, bfloat16
        self.register_buffer("bicubic", shrink_kernel(self.factor), persistent=False)
        self.register_buffer("border", shrink_border(self.factor, size), persistent=False)
        if width:
            self.first = nn.Conv2d(3 * self.factor**2, width, 3, padding=1)
            self.residual = nn.Sequential(*(ResidualPair(width) for _ in range(pairs)))
            self.last = nn.Conv2d(width, 3, 3, padding=1)
            start_at_zero(self.last)

    def forward(self, image: Tensor) -> Tensor:
        """Shrink float [N,3,source,source] in 0..1 to [N,3,size,size]."""
        return self.from_cells(functional.pixel_unshuffle(image, self.factor))

    def from_cells(self, cells: Tensor) -> Tensor:
        """Shrink an already unshuffled image, float [N, 3 r^2, size, size]."""
        thumbnail = functional.conv2d(cells, self.bicubic, padding=2) * self.border
        if not self.width:
            return thumbnail
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training and self.rough):
            detail = self.last(self.residual(functional.relu(self.first(cells))))
        return thumbnail + detail.float()


class ServedDownscaler(nn.Module):
    """E as it is served: uint8 [N,source,source,3] -> uint8 [N,size,size,3]; scaling and rounding inside."""

    def __init__(self, downscaler: Downscaler) -> None:
        super().__init__()
        self.downscaler = downscaler

    def forward(self, image: Tensor) -> Tensor:
        """Make the thumbnail."""
        e = self.downscaler
        s, r = e.size, e.factor
        cells = image.reshape(-1, s, r, s, r, 3).permute(0, 5, 2, 4, 1, 3).reshape(-1, 3 * r * r, s, s)
        thumbnail = e.from_cells(cells.float() * (1 / 255))
        return (thumbnail * 255).round().clamp(0, 255).permute(0, 2, 3, 1).to(torch.uint8)
