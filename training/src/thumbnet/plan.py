"""The phases in their order: what each trains, and what its batches must hold."""

from dataclasses import dataclass, field, replace

from torch import nn

from thumbnet.classifier import Classifier
from thumbnet.config import Config
from thumbnet.folding import fold_normalisation
from thumbnet.networks import Networks
from thumbnet.phases import Learn, MapStem, Reconstruct, Restore
from thumbnet.photos import SIDE
from thumbnet.stem import TeacherMaps

PHASES = ("reconstruct", "restore", "mapping", "learn")


@dataclass(frozen=True)
class Planned:
    """A phase and its needs."""

    module: nn.Module
    images: bool = True
    """Whole photos; otherwise thumbnails, which a frozen E makes once."""
    answers: bool = True
    """What the teacher says of the photos."""
    maps: bool = False
    """The teacher's last maps as well."""
    mixed: bool = False
    """Pictures mixed and flipped, where the run has such (`cutmix`, `flip`)."""
    scales: dict[str, float] = field(default_factory=dict)
    """Learning rates, relative to the phase's, of parameters whose names begin so."""


def planned(name: str, config: Config, networks: Networks, teacher: Classifier, outputs: list[int]) -> Planned:
    """Make one of the `PHASES`. `outputs`: the teacher's for the data's classes."""
    w, codec = config.weights, config.codec
    if name == "reconstruct":
        return Planned(Reconstruct(networks), answers=False)
    if name == "restore":
        phase = Restore(networks, fold_normalisation(teacher), w, codec, outputs)
        return Planned(phase, scales={"heads.": config.heads_lr})
    if name == "mapping" and config.stem_width:
        maps_of = TeacherMaps(fold_normalisation(teacher), SIDE, config.size)
        return Planned(MapStem(networks, maps_of, codec), answers=False)
    if name == "mapping":
        unsupervised = replace(w, cl=0.0, kd=0.0, kd_all=0.0, mm=0.0)
        return Planned(Learn(networks, unsupervised, codec, outputs, joint=False), images=False, maps=bool(w.fm))
    joint = config.downscaler_lr > 0
    scales = {"downscaler.": config.downscaler_lr}
    return Planned(Learn(networks, w, codec, outputs, joint), images=joint, maps=bool(w.fm), mixed=True, scales=scales)
