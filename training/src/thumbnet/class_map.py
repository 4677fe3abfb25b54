"""Which output of the teacher stands for which folder of photos, and what people call it."""

import json
from dataclasses import dataclass
from pathlib import Path

from thumbnet.config import Config
from thumbnet.fingerprint import of_text
from thumbnet.photos import Photos


@dataclass(frozen=True)
class ClassMap:
    """Which output of the teacher stands for which folder, and what people call it."""

    folders: list[str]
    outputs: list[int]
    labels: list[str]

    @property
    def fingerprint(self) -> str:
        """Tells it from others."""
        return of_text(json.dumps([self.folders, self.outputs, self.labels]))


def read_class_map(source: str | Path, folders: list[str]) -> ClassMap:
    """Read {folder: [teacher output, label]} from a JSON file or a map that comes with thumbnet, by name."""
    path = _own_or_given(source, ".json")
    if not path.is_file():
        raise ValueError(f"no class map {path}: give a JSON file of {{folder: [teacher output, label]}}")
    entries = json.loads(path.read_text())
    missing = [folder for folder in folders if folder not in entries]
    if missing:
        raise ValueError(f"{path} says nothing of {', '.join(missing)}")
    outputs = [entries[folder][0] for folder in folders]
    twice = sorted(folder for folder, output in zip(folders, outputs, strict=True) if outputs.count(output) > 1)
    if twice:
        raise ValueError(f"{path} gives {', '.join(twice)} the same output: no classifier could tell them apart")
    return ClassMap(folders, outputs, [entries[folder][1] for folder in folders])


def read_labels(source: str | Path) -> list[str]:
    """Read what each output of a teacher is called, a line each, from a file or a list that comes with thumbnet."""
    path = _own_or_given(source, ".txt")
    if not path.is_file():
        raise ValueError(f"no labels {path}: give a text file with a line for each output of the teacher")
    return path.read_text().splitlines()


def _own_or_given(source: str | Path, suffix: str) -> Path:
    """Tell a file from the name of one that comes with thumbnet."""
    path = Path(source)
    return path if path.suffix else Path(__file__).parent / "classes" / f"{source}{suffix}"


def classes_of(config: Config, photos: Photos) -> ClassMap:
    """Which teacher outputs the data's folders stand for."""
    if config.class_map:
        return read_class_map(config.class_map, photos.classes)
    return ClassMap(photos.classes, list(range(len(photos.classes))), photos.classes)
