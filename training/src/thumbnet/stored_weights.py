"""Weights of E, D and S from an earlier run, or of E and D from a model repository."""

from pathlib import Path

import torch
from torch import nn

from thumbnet.config import Config
from thumbnet.onnx_files import read_weights

ADDED = ("residual.", "context.")  # layers that a network may have more of than the one it starts from


def has_decoder(config: Config) -> bool:
    """Whether anything of a run depends on its decoder; a student without a stem of its own learns without one."""
    trains_it = config.reconstruct.steps or config.restore.steps
    return bool(trains_it or config.stem_width or not config.learn.steps)


def load_decoder(config: Config, path: Path, modules: dict[str, nn.Module]) -> None:
    """Read the decoder that belongs to a downscaler, if there is one."""
    if path.is_dir() and not restorer_beside(path).is_file():
        print(f"{path} has no restorer beside it: the decoder begins untrained")
        return
    try:
        load_networks(path, modules, ("decoder",))
    except ValueError as error:
        if has_decoder(config):
            raise
        print(f"{error}; nothing here needs it: it is left as it was before training")


def load_networks(path: Path, modules: dict[str, nn.Module], names: tuple[str, ...]) -> None:
    """Read some networks of an earlier run's models.pt, or of a downscaler's folder in a model repository.

    Residual pairs beyond the stored ones, and a decoder's context, answer nothing until they are trained: the deeper
    network starts as the other.
    """
    files = {"downscaler": path / "1" / "model.onnx", "decoder": restorer_beside(path)}
    if path.is_dir():
        stored = {name: read_weights(files[name], name) for name in names}
    else:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    for name in names:
        module = modules[name]
        own = module.state_dict()  # a served file holds constants, too
        further = {
            key: torch.zeros_like(value) if key.startswith("residual.") and ".two." in key else value
            for key, value in own.items()
            if key.startswith(ADDED) and key not in stored[name]
        }
        try:
            if any(key.startswith(ADDED) and key not in own for key in stored[name]):
                raise RuntimeError("more layers")
            module.load_state_dict({key: value for key, value in stored[name].items() if key in own} | further)
        except RuntimeError as error:
            widths = "--width, --decoder-width, --pairs, --decoder-pairs, --decoder-context and such"
            raise ValueError(f"{path} holds a {name} of other widths than {widths} say") from error


def restorer_beside(downscaler: Path) -> Path:
    """Find D's file, of the `restorer-<size>` beside E's `downscaler-<size>` in a model repository."""
    return downscaler.with_name(downscaler.name.replace("downscaler", "restorer")) / "1" / "model.onnx"
