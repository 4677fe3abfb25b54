"""The phases of a run. Each is a module whose forward pass turns a batch into named loss terms, already weighted."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from thumbnet.classifier import Classifier
from thumbnet.codec import Rate, ThroughCodec
from thumbnet.config import Codec, Weights
from thumbnet.decoder import Decoder
from thumbnet.downscaler import Downscaler
from thumbnet.losses import MapDecoder, classification, distillation, moments, relative_error
from thumbnet.pixels import quantise, to_unit


@dataclass(frozen=True)
class Batch:
    """What one step sees. `image` is None where E is frozen and the thumbnails were computed before."""

    image: Tensor | None  # uint8 [N,224,224,3]
    thumbnail: Tensor | None  # uint8 [N,s,s,3]
    labels: Tensor  # int64 [N], -1 unknown
    logits: Tensor | None = None  # float [N, teacher classes]
    pooled: Tensor | None = None  # float [N, teacher features]
    maps: Tensor | None = None  # float [N,C,H,W]


@dataclass
class Networks:
    """Everything a run trains."""

    downscaler: Downscaler
    decoder: Decoder
    student: Classifier
    mapper: MapDecoder | None = None  # FM's decoder
    projector: nn.Linear | None = None  # where S's pooled features have another width than T's

    def modules(self) -> dict[str, nn.Module]:
        """Name each network."""
        parts = {"downscaler": self.downscaler, "decoder": self.decoder, "student": self.student}
        extra = {"mapper": self.mapper, "projector": self.projector}
        return parts | {name: module for name, module in extra.items() if module is not None}


class Reconstruct(nn.Module):
    """Phase 1: E and D rebuild the photo through 8-bit pixels. MSE, shown as it falls in units of 1/255^2."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.downscaler, self.decoder = networks.downscaler, networks.decoder

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss."""
        image = to_unit(_given(batch.image))
        return {"mse": functional.mse_loss(self.decoder(quantise(self.downscaler(image))), image)}


class Restore(nn.Module):
    """Phase 2: E and D in front of the frozen teacher, which must answer as it does on the photo itself."""

    MSE_WEIGHT = 5.0  # ours: keeps the restored photo a photo while the teacher's opinion decides the rest

    def __init__(self, networks: Networks, teacher: Classifier, weights: Weights, codec: Codec) -> None:
        super().__init__()
        self.rate_weight, self.rate, self.through = weights.rate, Rate(), receiver(codec)
        self.downscaler, self.decoder = networks.downscaler, networks.decoder
        self.teach = teacher.eval().forward  # not the module itself: it is neither trained nor stored

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the losses."""
        image = to_unit(_given(batch.image))
        thumbnail = quantise(self.downscaler(image))
        restored = self.decoder(self.through(thumbnail))
        answer = self.teach(restored)
        terms = {"rate": self.rate_weight * self.rate(thumbnail)} if self.rate_weight else {}
        return terms | {
            "kd": distillation(answer.logits, _given(batch.logits), 1.0),
            "pooled": relative_error(answer.pooled, _given(batch.pooled)),
            "mse": self.MSE_WEIGHT * functional.mse_loss(restored, image),
        }


class Learn(nn.Module):
    """Phases 3 and 4: S (and E, where it is trained) on the thumbnails."""

    classes: Tensor

    def __init__(self, networks: Networks, weights: Weights, codec: Codec, classes: list[int], joint: bool) -> None:
        super().__init__()
        self.through = receiver(codec)
        self.student, self.mapper, self.projector = networks.student, networks.mapper, networks.projector
        self.weights, self.joint = weights, joint
        self.register_buffer("classes", torch.tensor(classes), persistent=False)
        if joint:
            self.downscaler = networks.downscaler

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the losses."""
        w, terms = self.weights, {}
        if self.joint:
            image = to_unit(_given(batch.image))
            thumbnail = quantise(self.downscaler(image))
            if w.mm:
                terms["mm"] = w.mm * moments(thumbnail, image)
        else:
            thumbnail = to_unit(_given(batch.thumbnail))
        guess = self.student(self.through(thumbnail))
        pooled = self.projector(guess.pooled) if self.projector else guess.pooled
        known = batch.labels >= 0
        if w.cl:
            terms["cl"] = w.cl * classification(guess.logits[:, self.classes], batch.labels)
        if w.kd and known.any():
            own = distillation(
                guess.logits[known][:, self.classes],
                _given(batch.logits)[known][:, self.classes],
                w.temperature,
            )
            terms["kd"] = w.kd * own
        if w.kd_all:
            terms["kd_all"] = w.kd_all * distillation(guess.logits, _given(batch.logits), w.temperature)
        if w.pooled:
            terms["pooled"] = w.pooled * relative_error(pooled, _given(batch.pooled))
        if w.fm and self.mapper is not None:
            terms["fm"] = w.fm * relative_error(self.mapper(guess.maps), _given(batch.maps))
        return terms


def receiver(codec: Codec) -> nn.Module:
    """What happens to a thumbnail between E and whoever looks at it."""
    return ThroughCodec(codec.format, codec.lowest, codec.highest, codec.share) if codec.format else nn.Identity()


def _given(value: Tensor | None) -> Tensor:
    if value is None:
        raise ValueError("this phase needs something the batch does not hold")
    return value
