"""Thumbnails as a PyTorch data set: a folder for each class, as `thumbnet-edge thumbnail` writes them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

SUFFIXES = (".npy", ".png", ".webp", ".jpg", ".jpeg", ".avif")


@dataclass(frozen=True)
class Sample:
    """One thumbnail, not read yet."""

    path: Path
    label: int


class Thumbnails(Dataset[tuple[torch.Tensor, int]]):
    """Tensors uint8 [3, size, size] (RGB, 0 to 255) with the index of their class in `classes`.

    Bytes stay bytes until they are on the device: a batch is four times smaller to move than one of float32.

    Raises ValueError if there are no thumbnails, or (on reading) if one is not `size` pixels a side.
    """

    def __init__(self, folder: Path, size: int = 56) -> None:
        self.size = size
        self.classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
        self.samples = [
            Sample(path, label)
            for label, name in enumerate(self.classes)
            for path in sorted((folder / name).rglob("*"))
            if path.suffix in SUFFIXES
        ]
        if not self.samples:
            raise ValueError(f"Expected {folder}/<class>/*{{{','.join(SUFFIXES)}}}, but found none.")

    def __len__(self) -> int:
        """How many thumbnails there are."""
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        """The thumbnail's pixels and the index of its class."""
        sample = self.samples[index]
        pixels = read(sample.path)
        if pixels.shape != (self.size, self.size, 3):
            raise ValueError(f"Expected {self.size} pixels a side, but {sample.path} has the shape {pixels.shape}.")
        return torch.from_numpy(pixels).permute(2, 0, 1), sample.label

    def bytes(self) -> int:
        """What all files have together."""
        return sum(sample.path.stat().st_size for sample in self.samples)


def read(path: Path) -> np.ndarray:
    """Pixels of one thumbnail, uint8 [size, size, 3], RGB."""
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))
