"""A run's checkpoint: where it stands, and what it learns from, so that none goes on with other photos."""

from pathlib import Path

import torch

from thumbnet.atomic import save_atomically
from thumbnet.beginning import read_served
from thumbnet.class_map import ClassMap
from thumbnet.config import Config
from thumbnet.distributed import Place
from thumbnet.loop import Progress
from thumbnet.material import Material


def checkpoint_of(config: Config, run: Path) -> Path:
    """Name a run's checkpoint, or that of the run which it ends otherwise, as long as it has none of its own."""
    own = run / "checkpoint.pt"
    return own if own.is_file() or not config.ending_of else config.ending_of / "checkpoint.pt"


def resume(config: Config, material: Material) -> Progress:
    """Bring a run's networks to where its checkpoint has them, or to where they begin."""
    begun, networks = checkpoint_of(config, config.out), material.networks
    if not begun.is_file():
        read_served(config, networks, material.photos, material.class_map.outputs)
        return Progress()
    stored = torch.load(begun, map_location="cpu", weights_only=True)
    require_same_inputs(stored.get("inputs", {}), material.inputs, begun)
    for name, module in networks.modules().items():
        module.load_state_dict(stored["networks"][name])
    return Progress(**stored["progress"])


def save(config: Config, material: Material, progress: Progress, place: Place) -> None:
    """Write the checkpoint, in the first of several processes."""
    if place.first:
        stored = {"progress": vars(progress), "networks": material.networks.states(), "inputs": material.inputs}
        save_atomically(config.out / "checkpoint.pt", stored)


def require_same_inputs(before: dict[str, str], now: dict[str, str], checkpoint: Path) -> None:
    """Refuse to go on with other photos or another teacher than a run began with. Older runs tell less of them."""
    other = [name for name, value in before.items() if now.get(name) != value]
    if other:
        raise ValueError(f"{checkpoint} was made with other {' and '.join(other)}: choose another --out")


def require_same_class_map(config: Config, run: Path, class_map: ClassMap) -> None:
    """Refuse to measure or export a finished run with another class map than it was trained with."""
    checkpoint = checkpoint_of(config, run)
    if not checkpoint.is_file():
        return
    before = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True).get("inputs", {})
    now = class_map.fingerprint
    if before.get("class map", now) != now:
        told = config.class_map or f"the class folders of {config.data}"
        raise ValueError(f"{checkpoint} was made with another class map: bring {told} back to what it was")
