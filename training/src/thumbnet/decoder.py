"""D, the decoder of the unsupervised phase; kept and placed before a frozen teacher it is the restorer."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from thumbnet.layers import ResidualPair, start_at_zero
from thumbnet.pixels import enlarge_kernel


class Decoder(nn.Module):
    """Rebuild the photo from its thumbnail: bicubic enlarging plus a learned residual.

    The paper does not give the decoder's layers; we use a 5x5 convolution 3->width, `pairs` residual pairs of 3x3,
    and a 3x3 convolution into a pixel shuffle. The last layer starts at zero: an untrained D is bicubic enlarging.

    `bfloat16`: train the convolutions in bfloat16 (sums, weights and everything after training stay float32).

    Input float [N,3,s,s] in 0..1, output float [N,3,s r,s r], clamped to 0..1.
    """

    bicubic: Tensor

    def __init__(self, factor: int, width: int = 48, pairs: int = 2, bfloat16: bool = False) -> None:
        super().__init__()
        self.factor, self.rough = factor, bfloat16
        self.register_buffer("bicubic", enlarge_kernel(factor), persistent=False)
        self.first = nn.Conv2d(3, width, 5, padding=2)
        self.residual = nn.Sequential(*(ResidualPair(width) for _ in range(pairs)))
        self.last = nn.Conv2d(width, 3 * factor**2, 3, padding=1)
        start_at_zero(self.last)

    def forward(self, thumbnail: Tensor) -> Tensor:
        """Enlarge the thumbnail."""
        base = functional.conv2d(functional.pad(thumbnail, (2, 2, 2, 2), mode="replicate"), self.bicubic)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training and self.rough):
            detail = self.last(self.residual(functional.relu(self.first(thumbnail))))
        return functional.pixel_shuffle(base + detail.float(), self.factor).clamp(0, 1)
