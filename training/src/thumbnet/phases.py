"""The phases of a run. Each is a module whose forward pass turns a batch into named loss terms, already weighted."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from thumbnet.batch import Batch, given
from thumbnet.classifier import Classifier
from thumbnet.codec import Rate, ThroughCodec
from thumbnet.config import Codec, Config, Weights
from thumbnet.losses import distillation, moments, relative_error
from thumbnet.networks import Networks
from thumbnet.pixels import quantise, to_unit
from thumbnet.stem import TeacherMaps, stem_of
from thumbnet.taught import taught


class Reconstruct(nn.Module):
    """Phase 1: E and D rebuild the photo through 8-bit pixels. MSE, shown as it falls in units of 1/255^2."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.downscaler, self.decoder = networks.downscaler, networks.decoder

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss."""
        image = to_unit(given(batch.image))
        return {"mse": functional.mse_loss(self.decoder(quantise(self.downscaler(image))), image)}


class Restore(nn.Module):
    """Phase 2: E and D in front of the frozen teacher, which must answer as it does on the photo itself.

    Students that read the same thumbnails (`networks.heads`) learn along, and say to E what they need; the paper trains
    E with one student alone.
    """

    MSE_WEIGHT = 5.0  # ours: keeps the restored photo a photo while the teacher's opinion decides the rest
    classes: Tensor

    def __init__(
        self, networks: Networks, teacher: Classifier, weights: Weights, codec: Codec, classes: list[int]
    ) -> None:
        super().__init__()
        self.rate_weight, self.rate, self.received = weights.rate, Rate(), receiver(codec)
        self.through = self.received if codec.restored else nn.Identity()
        self.stages_weight, self.weights = weights.stages, weights
        self.heads = nn.ModuleDict(networks.heads)
        self.register_buffer("classes", torch.tensor(classes), persistent=False)
        self.downscaler, self.decoder = networks.downscaler, networks.decoder
        self.teach = teacher.eval().forward  # not the module itself: it is neither trained nor stored

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the losses."""
        image = to_unit(given(batch.image))
        thumbnail = quantise(self.downscaler(image))
        restored = self.decoder(self.through(thumbnail))
        answer = self.teach(restored, with_stages=self.stages_weight > 0)
        terms = {"rate": self.rate_weight * self.rate(thumbnail)} if self.rate_weight else {}
        if self.stages_weight:
            with torch.no_grad():
                photo = self.teach(image, with_stages=True)
            errors = [relative_error(*pair) for pair in zip(answer.stages, photo.stages, strict=True)]
            terms["stages"] = self.stages_weight * torch.stack(errors).mean()
        if self.heads:
            seen = self.received(thumbnail)
            for name, head in self.heads.items():
                said = taught(head(seen), batch, self.weights, self.classes)
                terms |= {f"{name}.{loss}": self.weights.heads * value for loss, value in said.items()}
        return terms | {
            "kd": distillation(answer.logits, given(batch.logits), 1.0),
            "pooled": relative_error(answer.pooled, given(batch.pooled)),
            "mse": self.MSE_WEIGHT * functional.mse_loss(restored, image),
        }


class MapStem(nn.Module):
    """Phase 3 of a student with a stem of its own: the stem guesses the teacher's maps of the thumbnail's size (FM)."""

    def __init__(self, networks: Networks, maps_of: TeacherMaps, codec: Codec) -> None:
        super().__init__()
        self.stem, self.through, self.maps_of = stem_of(networks.student), receiver(codec), maps_of
        self.normalised = networks.student.normalised
        self.shrink = networks.downscaler.eval().forward  # not the module itself: it is not trained here

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss."""
        image = to_unit(given(batch.image))
        with torch.no_grad():
            thumbnail = self.through(quantise(self.shrink(image)))
        return {"maps": relative_error(self.stem(self.normalised(thumbnail)), self.maps_of(image))}


class Learn(nn.Module):
    """Phases 3 and 4: S (and E, where it is trained) on the thumbnails."""

    classes: Tensor

    def __init__(self, networks: Networks, weights: Weights, codec: Codec, classes: list[int], joint: bool) -> None:
        super().__init__()
        self.through = receiver(codec)
        self.student, self.mapper, self.projector = networks.student, networks.mapper, networks.projector
        self.weights, self.joint = weights, joint
        self.register_buffer("classes", torch.tensor(classes), persistent=False)
        self.rate = Rate()
        if joint:
            self.downscaler = networks.downscaler

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the losses."""
        w, terms = self.weights, {}
        if self.joint:
            image = to_unit(given(batch.image))
            thumbnail = quantise(self.downscaler(image))
            if w.mm:
                terms["mm"] = w.mm * moments(thumbnail, image)
            if w.rate:
                terms["rate"] = w.rate * self.rate(thumbnail)
        else:
            thumbnail = to_unit(given(batch.thumbnail))
        guess = self.student(self.through(thumbnail))
        terms |= taught(guess, batch, w, self.classes, self.projector)
        if w.fm and self.mapper is not None:
            terms["fm"] = w.fm * relative_error(self.mapper(guess.maps), given(batch.maps))
        return terms


def losses_of(config: Config) -> dict[str, float]:
    """Weights of the losses that a run's phases have, those before the frozen teacher as `restore.<name>`."""
    w = config.weights
    before = {"kd": 1.0, "pooled": 1.0, "mse": Restore.MSE_WEIGHT, "rate": w.rate, "stages": w.stages}
    of_photos = {"mm": w.mm, "rate": w.rate} if config.downscaler_lr and config.learn.steps else {}
    learned = {name: getattr(w, name) for name in ("cl", "kd", "kd_all", "fm", "pooled")} | of_photos
    found = {"reconstruct.mse": 1.0} if config.reconstruct.steps else {}
    found |= {f"restore.{name}": value for name, value in before.items()} if config.restore.steps else {}
    if config.heads and config.restore.steps:
        found |= {f"restore.heads.{name}": w.heads * learned[name] for name in ("cl", "kd", "kd_all", "pooled")}
    if config.stem_width and config.mapping.steps:
        found |= {"mapping.maps": 1.0}
    found |= learned if config.learn.steps or config.mapping.steps else {}
    return {name: value for name, value in found.items() if value}


def receiver(codec: Codec) -> nn.Module:
    """What happens to a thumbnail between E and whoever looks at it."""
    return ThroughCodec(codec.format, codec.lowest, codec.highest, codec.share) if codec.format else nn.Identity()
