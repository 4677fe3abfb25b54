"""D, the decoder of the unsupervised phase; kept and placed before a frozen teacher it is the restorer."""

from torch import Tensor
from torch.nn import functional

from thumbnet.layers import ThumbnailLayers, start_at_zero
from thumbnet.pixels import enlarge_kernel


class Decoder(ThumbnailLayers):
    """Rebuild the photo from its thumbnail: bicubic enlarging plus a learned residual.

    The paper does not give the decoder's layers; we use a 5x5 convolution 3->width, `pairs` residual pairs of 3x3,
    and a 3x3 convolution into a pixel shuffle. The last layer starts at zero: an untrained D is bicubic enlarging.
    `context`: channels with which it also looks at the whole picture (thumbnet.layers.Context); 0: not.

    Input float [N,3,s,s] in 0..1, output float [N,3,s r,s r], clamped to 0..1.
    """

    bicubic: Tensor

    def __init__(self, factor: int, width: int = 48, pairs: int = 2, bfloat16: bool = False, context: int = 0) -> None:
        super().__init__(width, pairs, 3 * factor**2, bfloat16, context)
        self.factor = factor
        self.register_buffer("bicubic", enlarge_kernel(factor), persistent=False)
        start_at_zero(self.last)

    def forward(self, thumbnail: Tensor) -> Tensor:
        """Enlarge the thumbnail."""
        base = functional.conv2d(functional.pad(thumbnail, (2, 2, 2, 2), mode="replicate"), self.bicubic)
        return functional.pixel_shuffle(base + self.maps(thumbnail), self.factor).clamp(0, 1)
