"""Go on training a student from its served file, in which every batch normalisation is part of a convolution."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from thumbnet.classifier import Classifier, strided
from thumbnet.onnx_files import count_strided, read_weights

PREFIX = "classifier.network"


def load_served_student(folder: Path, student: Classifier, classes: list[int], thumbnails: Tensor) -> None:
    """Give `student` the weights of a model folder of the same architecture; it then answers as the served file does.

    `classes`: which of the student's outputs those of the file are, if it has fewer. The file holds no statistics
    for its batch normalisations, so each takes those of `thumbnails`, float [N,3,s,s] in 0..1, and scale and shift that
    undo it: what it computes is the file's, and training goes on as from a network that was normalised.
    """
    file = folder / "1" / "model.onnx"
    stored = read_weights(file, PREFIX)
    folded: dict[int, Tensor] = {}
    for name, module in student.network.named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        weight = stored.get(f"{name}.weight")
        if weight is None or weight.shape != module.weight.shape:
            raise ValueError(f"{folder} is of another architecture than the student: it has no {name} like that")
        module.weight.data.copy_(weight)
        bias = stored.get(f"{name}.bias", stored.get(f"{name}.weight_bias"))  # as trained, or folded by the exporter
        if bias is not None and module.bias is not None:
            module.bias.data.copy_(bias)
        elif bias is not None:
            folded[id(module)] = bias
    _require_strides(file, student)
    _load_head(student.network, stored, classes, folder)
    _normalise(student, folded, thumbnails)


def _require_strides(file: Path, student: Classifier) -> None:
    """Refuse weights that were trained on maps of another size: they fit all the same."""
    theirs, own = count_strided(file), len(strided(student.network))
    if theirs != own:
        raise ValueError(
            f"{file.parents[1]} has {theirs} convolutions that halve their maps, this run's student {own}: give the "
            "--early-strides that it was made with"
        )


def _load_head(network: Any, stored: dict[str, Tensor], classes: list[int], folder: Path) -> None:
    head = network.get_classifier()
    name = next(name for name, module in network.named_modules() if module is head)
    weight, bias = stored.get(f"{name}.weight"), stored.get(f"{name}.bias")
    if weight is None or bias is None:
        raise ValueError(f"{folder} has no linear layer {name} at its end")
    rows = list(range(head.out_features)) if len(weight) == head.out_features else classes
    if len(weight) != len(rows):
        expected = f"{head.out_features} or {len(classes)}"
        raise ValueError(f"{folder} knows {len(weight)} classes, but {expected} are expected")
    head.weight.data[rows] = weight
    head.bias.data[rows] = bias


def _normalise(student: Classifier, biases: dict[int, Tensor], thumbnails: Tensor) -> None:
    """One pass in which each normalisation, when its turn comes, takes the statistics of what reaches it."""
    last: list[nn.Module] = []

    def remember(module: nn.Module, _inputs: Any) -> None:
        last[:] = [module]

    def adapt(module: Any, inputs: tuple[Tensor, ...]) -> None:
        variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
        module.running_mean.copy_(mean)
        module.running_var.copy_(variance)
        module.weight.data.copy_((variance + module.eps).sqrt())
        module.bias.data.copy_(mean + biases[id(last[0])])

    hooks = [m.register_forward_pre_hook(remember) for m in student.modules() if isinstance(m, nn.Conv2d)]
    hooks += [m.register_forward_pre_hook(adapt) for m in student.modules() if isinstance(m, nn.BatchNorm2d)]
    student.eval()
    with torch.no_grad():
        student(thumbnails)
    for hook in hooks:
        hook.remove()
