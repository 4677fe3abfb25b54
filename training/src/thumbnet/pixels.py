"""Pixels as tensors: 8-bit rounding that lets gradients through, and bicubic resampling as convolutions."""

import torch
from torch import Tensor
from torch.nn import functional

BICUBIC_A = -0.5  # Pillow's and Keys' value; torch's own bicubic uses -0.75


def to_unit(image: Tensor) -> Tensor:
    """Turn uint8 [N,H,W,3] into float32 [N,3,H,W] in 0..1, channels last in memory."""
    return image.permute(0, 3, 1, 2).float().div(255).contiguous(memory_format=torch.channels_last)


def to_bytes(image: Tensor) -> Tensor:
    """Turn float [N,3,H,W] in 0..1 into uint8 [N,H,W,3], rounding half to even as ONNX `Round` does."""
    return (image * 255).round().clamp(0, 255).permute(0, 2, 3, 1).to(torch.uint8)


def quantise(image: Tensor) -> Tensor:
    """Round 0..1 values to the 256 levels of 8-bit pixels; the rounding passes gradients straight through.

    The paper does not say how it trains through rounding; we use the straight-through estimator of the
    image-rescaling line (CAR, IRN). Clamping keeps its true gradient, so E is not pushed past the range.
    """
    image = image.clamp(0, 1)
    return image + ((image * 255).round() / 255 - image).detach()


def cubic(distance: Tensor) -> Tensor:
    """Keys' cubic convolution kernel with a = -0.5 (Keys 1981), zero beyond a distance of 2."""
    d, a = distance.abs(), BICUBIC_A
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = (((d - 5) * d + 8) * d - 4) * a
    return torch.where(d < 1, near, torch.where(d < 2, far, torch.zeros_like(d)))


def shrink_kernel(factor: int) -> Tensor:
    """Antialiased bicubic shrinking by `factor`, on pixel-unshuffled cells: weights [3, 3 f^2, 5, 5].

    Equals Pillow's BICUBIC before its rounding, for pixels at least two cells from the border. Channel order is
    that of `unshuffle`.
    """
    taps = torch.arange(5 * factor, dtype=torch.float64) + 0.5 - 2.5 * factor
    line = cubic(taps / factor)
    line = (line / line.sum()).reshape(5, factor)
    plane = torch.einsum("ip,jq->pqij", line, line)
    kernel = torch.zeros(3, 3, factor, factor, 5, 5, dtype=torch.float64)
    for channel in range(3):
        kernel[channel, channel] = plane
    return kernel.reshape(3, 3 * factor**2, 5, 5).float()


def shrink_border(factor: int, size: int) -> Tensor:
    """Factor [1,1,size,size] by which zero-padded `shrink_kernel` must be multiplied: Pillow renormalises there."""
    line = shrink_kernel(factor)[0].reshape(3, factor, factor, 5, 5)[0].sum(dim=(1, 3))  # [factor, 5] vertical taps
    inside = torch.ones(1, factor, size)
    total = functional.conv1d(inside, line.unsqueeze(0) / line.sum(), padding=2)[0, 0]
    return (1 / (total[:, None] * total[None, :])).reshape(1, 1, size, size)


def enlarge_kernel(factor: int) -> Tensor:
    """Bicubic enlarging by `factor` as a convolution before a pixel shuffle: weights [3 f^2, 3, 5, 5]."""
    offsets = (torch.arange(factor, dtype=torch.float64) + 0.5) / factor - 0.5  # of each new pixel, in old pixels
    line = cubic(torch.arange(-2, 3, dtype=torch.float64)[None, :] - offsets[:, None])  # [factor, 5]
    plane = torch.einsum("pi,qj->pqij", line, line)
    kernel = torch.zeros(3, factor, factor, 3, 5, 5, dtype=torch.float64)
    for channel in range(3):
        kernel[channel, :, :, channel] = plane
    return kernel.reshape(3 * factor**2, 3, 5, 5).float()
