"""A stem of S's own: it reads the thumbnail at its own size in place of the teacher's first layers.

The teacher halves its maps down to the thumbnail's size in its first layers; S has no such pixels to halve. The paper
keeps those layers, so that S's maps are smaller throughout. This S has maps of the teacher's sizes, from the first one
as large as the thumbnail, for the teacher's compute beside the stem's own, and no layer is used at another scale than
it was trained at.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from thumbnet.classifier import Classifier
from thumbnet.decoder import Decoder
from thumbnet.layers import ThumbnailLayers

RIDGE = 1e-4  # of the mean square of the stem's features


class Stem(ThumbnailLayers):
    """[N,3,s,s], normalised as the teacher's photos -> the teacher's maps of that size, [N,channels,s,s].

    The layers of D but for the last one, whose weights it can start from.
    """

    def forward(self, thumbnail: Tensor) -> Tensor:
        """Guess the maps."""
        return self.maps(thumbnail)


def layers_before(network: Any, side: int, size: int) -> tuple[list[str], int]:
    """Name the layers, or blocks, down to the last maps of `size` pixels for images of `side`; and the maps' channels.

    Raises ValueError where no maps have that size.
    """
    ran: list[tuple[str, torch.Size]] = []

    def note(name: str) -> Any:
        return lambda _module, _inputs, output: ran.append((name, output.shape))

    hooks = [module.register_forward_hook(note(name)) for name, module in _layers(network)]
    with torch.no_grad():
        network.forward_features(torch.zeros(1, 3, side, side))
    for hook in hooks:
        hook.remove()
    last = max((i for i, (_, shape) in enumerate(ran) if len(shape) == 4 and shape[-1] == size), default=-1)
    if last < 0:
        raise ValueError(f"the teacher has no maps of {size} pixels that a stem of the student's own could guess")
    return [name for name, _ in ran[: last + 1]], ran[last][1][1]


def give_stem(student: Classifier, side: int, size: int, width: int, pairs: int, bfloat16: bool = False) -> Stem:
    """Put a stem in place of the student's first layers and return it."""
    names, channels = layers_before(student.network, side, size)
    stem = Stem(width, pairs, channels, bfloat16)
    for name in names:
        student.network.set_submodule(name, stem if name == names[0] else nn.Identity())
    return stem


def has_stem(student: nn.Module) -> bool:
    """Whether a student reads thumbnails with a stem of its own."""
    return any(isinstance(module, Stem) for module in student.modules())


def stem_of(student: nn.Module) -> Stem:
    """Find a student's stem."""
    return next(module for module in student.modules() if isinstance(module, Stem))


def stem_shape(stored: dict[str, Tensor]) -> tuple[int, int] | None:
    """Read a stem's width and residual pairs off a student's weights by name, if it has one."""
    first = [value for name, value in stored.items() if name.endswith(".first.weight")]
    pairs = [name for name in stored if ".residual." in name and name.endswith(".one.weight")]
    return (len(first[0]), len(pairs)) if first else None


class TeacherMaps:
    """The teacher's first layers: float [N,3,224,224] in 0..1 -> its maps of the thumbnail's size, [N,channels,s,s]."""

    def __init__(self, teacher: Classifier, side: int, size: int) -> None:
        self.teacher, (self.names, _) = teacher, layers_before(teacher.network, side, size)

    def __call__(self, image: Tensor) -> Tensor:
        """Run the first layers, one after the other."""
        with torch.no_grad():
            maps = self.teacher.normalised(image)
            for name in self.names:
                maps = self.teacher.network.get_submodule(name)(maps)
        return maps


def start_stem(student: Classifier, teacher: Classifier, decoder: Decoder, images: Tensor, thumbnails: Tensor) -> None:
    """Let an untrained stem begin as well as can be without training.

    Its first layers are those of D, where they are as wide; its last is the least-squares fit of the teacher's maps.
    images float [N,3,224,224] and thumbnails float [N,3,s,s] in 0..1.
    """
    stem, maps_of = stem_of(student), TeacherMaps(teacher, images.shape[-1], thumbnails.shape[-1])
    if stem.first.weight.shape == decoder.first.weight.shape and len(stem.residual) <= len(decoder.residual):
        _copy_features(stem, decoder, student)
    squares, products = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    with torch.no_grad():
        for image, thumbnail in zip(images.split(8), thumbnails.split(8), strict=True):
            seen = functional.unfold(stem.features(student.normalised(thumbnail)), 3, padding=1)
            rows = functional.pad(seen.transpose(1, 2).flatten(0, 1), (0, 1), value=1.0).double()
            squares = squares + rows.T @ rows
            products = products + rows.T @ maps_of(image).permute(0, 2, 3, 1).flatten(0, 2).double()
        squares += RIDGE * squares.diagonal().mean() * torch.eye(len(squares), dtype=torch.float64)
        fitted = torch.linalg.solve(squares, products).T.float()
        weight = fitted[:, :-1].reshape(stem.last.weight.shape)
        stem.last.load_state_dict({"weight": weight, "bias": fitted[:, -1]})


def _copy_features(stem: Stem, decoder: Decoder, student: Classifier) -> None:
    """Take over D's layers; D reads 0..1, the stem normalised pixels, of which only the edges' padding differs."""
    first = decoder.first.state_dict()
    bias = first["bias"] + (first["weight"] * student.mean).sum(dim=(1, 2, 3))
    stem.first.load_state_dict({"weight": first["weight"] * student.std, "bias": bias})
    for own, other in zip(stem.residual, decoder.residual, strict=False):
        own.load_state_dict(other.state_dict())


def _layers(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """A network's layers and blocks, in which the sequences are taken apart."""
    found = []
    for name, module in network.named_children():
        if isinstance(module, nn.Sequential):
            found += [(f"{name}.{inner}", part) for inner, part in _layers(module)]
        else:
            found.append((name, module))
    return found
