"""Lossy image formats inside the training: the thumbnail as a client receives it, and what its bytes cost."""

import math
from collections.abc import Iterable
from io import BytesIO
from typing import Any
from zlib import crc32

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from thumbnet.pixels import to_bytes, to_unit

BLOCK = 8  # JPEG's transform
STEPS = (16 / 255, 24 / 255, 24 / 255)  # Y, Cb, Cr: about what JPEG and WebP divide by at middle qualities
FORMATS: dict[str, dict[str, Any]] = {  # and how Pillow writes them
    "webp": {"method": 4},
    "jpeg": {"optimize": True, "subsampling": "4:4:4"},
    "avif": {"speed": 6, "subsampling": "4:4:4"},
}
TO_YCBCR = ((0.299, 0.587, 0.114), (-0.1687, -0.3313, 0.5), (0.5, -0.4187, -0.0813))  # JFIF


def encode(pixels: np.ndarray, image_format: str, quality: int) -> bytes:
    """Encode one thumbnail, uint8 [s,s,3], as a lossy file (`webp`, `jpeg` or `avif`, quality 1..100).

    Colours keep their resolution where the format can (4:4:4), as E writes into them, too; WebP always halves it.
    """
    file = BytesIO()
    Image.fromarray(pixels).save(file, image_format, quality=quality, **FORMATS[image_format])
    return file.getvalue()


def decode(file: bytes) -> np.ndarray:
    """Decode to uint8 [s,s,3]."""
    return np.asarray(Image.open(BytesIO(file)).convert("RGB"))


class ThroughCodec(nn.Module):
    """Pass thumbnails, float [N,3,s,s] in 0..1, through a real encoder and decoder, each at a random quality.

    The paper has no codec. We use the encoder itself, with gradients straight through it as through rounding: no
    proxy has to imitate its prediction and loop filter. WebP averages the colours of four pixels, so gradients do as
    well: detail that no receiver sees must not be asked for. `share` of a batch passes it, the others stay lossless so
    that one E serves both. Qualities are a function of the batch's pixels: a resumed run draws what an uninterrupted
    one would.
    """

    def __init__(self, image_format: str, lowest: int, highest: int, share: float) -> None:
        super().__init__()
        self.image_format, self.lowest, self.highest, self.share = image_format, lowest, highest, share

    def forward(self, thumbnail: Tensor) -> Tensor:
        """Answer what a receiver sees of each."""
        pixels = to_bytes(thumbnail.detach()).contiguous().numpy()
        random = np.random.default_rng(crc32(pixels.tobytes()))
        qualities = random.integers(self.lowest, self.highest + 1, len(pixels))
        passes = random.random(len(pixels)) < self.share
        seen = [
            decode(encode(one, self.image_format, int(quality))) if through else one
            for one, quality, through in zip(pixels, qualities, passes, strict=True)
        ]
        kept = thumbnail
        if self.image_format == "webp":
            kept = torch.where(torch.from_numpy(passes)[:, None, None, None], halve_colours(thumbnail), thumbnail)
        return kept + (to_unit(torch.from_numpy(np.stack(seen))) - kept).detach()


def halve_colours(thumbnail: Tensor) -> Tensor:
    """Average what is not luma over 2x2 pixels: float [N,3,s,s] in 0..1 -> the same. What 4:2:0 leaves of a picture."""
    luma = (thumbnail * torch.tensor(TO_YCBCR[0])[:, None, None]).sum(1, keepdim=True)
    means = functional.avg_pool2d(thumbnail - luma, 2, ceil_mode=True)
    height, width = thumbnail.shape[-2:]
    return luma + functional.interpolate(means, scale_factor=2.0)[..., :height, :width]


class Rate(nn.Module):
    """Estimated bits a pixel [] of thumbnails [N,3,s,s]: log2(1 + |c / step|) over DCT coefficients c, without DC.

    The logarithm is what entropy coders of JPEG's kind spend on a coefficient's magnitude; blocks' means are predicted
    from their neighbours in every format, so they are left out.
    """

    kernel: Tensor
    colours: Tensor

    def __init__(self) -> None:
        super().__init__()
        line = torch.tensor(
            [
                [
                    math.sqrt((1 if k == 0 else 2) / BLOCK) * math.cos(math.pi * (n + 0.5) * k / BLOCK)
                    for n in range(BLOCK)
                ]
                for k in range(BLOCK)
            ]
        )
        basis = torch.einsum("ux,vy->uvxy", line, line).reshape(BLOCK * BLOCK, 1, BLOCK, BLOCK)[1:]
        self.register_buffer("kernel", basis, persistent=False)
        scaled = torch.tensor(TO_YCBCR) / torch.tensor(STEPS)[:, None]
        self.register_buffer("colours", scaled.reshape(3, 3, 1, 1), persistent=False)

    def forward(self, thumbnail: Tensor) -> Tensor:
        """Estimate."""
        planes = functional.conv2d(thumbnail, self.colours).flatten(0, 1).unsqueeze(1)
        coefficients = functional.conv2d(planes, self.kernel, stride=BLOCK)
        return torch.log2(1 + coefficients.abs()).sum() / (thumbnail.numel() / 3)


def curve(
    thumbnails: np.ndarray, image_format: str, qualities: Iterable[int]
) -> Iterable[tuple[int, float, np.ndarray]]:
    """Quality, mean bytes and the decoded thumbnails uint8 [N,s,s,3], for each quality."""
    for quality in qualities:
        files = [encode(one, image_format, quality) for one in thumbnails]
        yield quality, sum(map(len, files)) / len(files), np.stack([decode(file) for file in files])
