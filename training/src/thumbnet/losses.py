"""The paper's losses: classification (CL), distillation (KD), feature mapping (FM) and moment matching (MM)."""

import torch
from torch import Tensor, nn
from torch.nn import functional


def classification(logits: Tensor, labels: Tensor, share: Tensor | None = None) -> Tensor:
    """CL: cross-entropy [] over the rows of `logits` [N,C] whose label [N] is known (not -1).

    `share` [N] in 0..1: how much of a picture has that label.
    """
    known = (labels >= 0).sum().clamp(min=1)
    each = functional.cross_entropy(logits, labels, ignore_index=-1, reduction="none")
    return (each if share is None else each * share).sum() / known


def distillation(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """KD: Kullback-Leibler divergence [] of softened outputs [N,C], times temperature^2 (Hinton et al. 2015)."""
    target = functional.log_softmax(teacher / temperature, dim=1)
    guess = functional.log_softmax(student / temperature, dim=1)
    return functional.kl_div(guess, target, reduction="batchmean", log_target=True) * temperature**2


def relative_error(guess: Tensor, target: Tensor) -> Tensor:
    """Mean squared error [] in units of the target's mean square, so that one weight fits any teacher."""
    return functional.mse_loss(guess, target) / target.square().mean().clamp(min=1e-6)


def moments(thumbnail: Tensor, image: Tensor) -> Tensor:
    """MM: keep each thumbnail's mean and variance, per channel, those of its photo; [N,3,*,*] in 0..1 -> [].

    The paper gives no weights; we use its follow-up's MSE(mean) + 0.1 MSE(variance).
    """
    thumb_variance, thumb_mean = torch.var_mean(thumbnail, dim=(2, 3), correction=0)
    variance, mean = torch.var_mean(image, dim=(2, 3), correction=0)
    return functional.mse_loss(thumb_mean, mean) + 0.1 * functional.mse_loss(thumb_variance, variance)


class MapDecoder(nn.Module):
    """FM's decoder: S's small feature maps [N,c,h,w] back to T's full-size ones [N,C,H,W]; training only.

    The paper calls it autoencoder-like and gives no layers; we use 1x1 -> width, bilinear enlarging, 3x3, 1x1.
    """

    def __init__(self, channels: int, target: tuple[int, int, int], width: int = 128) -> None:
        super().__init__()
        self.size = target[1:]
        self.squeeze = nn.Conv2d(channels, width, 1)
        self.spread = nn.Conv2d(width, width, 3, padding=1)
        self.expand = nn.Conv2d(width, target[0], 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Decode."""
        maps = functional.relu(self.squeeze(maps))
        maps = functional.interpolate(maps, size=self.size, mode="bilinear", align_corners=False)
        return self.expand(functional.relu(self.spread(maps)))
