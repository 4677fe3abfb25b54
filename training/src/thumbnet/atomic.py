"""Files that are there whole or not at all: other processes may be reading, and any write may be cut short."""

import os
from pathlib import Path

import torch


def save_atomically(path: Path, value: object) -> None:
    """torch.save."""
    partial = path.with_suffix(".part")
    torch.save(value, partial)
    partial.replace(path)


def write_atomically(path: Path, text: str) -> None:
    """Write text."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_text(text)
    partial.replace(path)
