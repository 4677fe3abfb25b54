"""Photos on disk: image folders and `.npy` stacks, as uint8 [N,224,224,3] with labels."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from thumbnet.locking import locked

SIDE = 224
NEVER_TRAINED_ON = "ILSVRC2012_val_*"  # ImageNet's validation photos: Imagenette's train folder holds some
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"}


@dataclass(frozen=True)
class Photos:
    """A set of photos. `labels` are class indices 0..classes-1, -1 where unknown; `names` the files' names."""

    pixels: np.ndarray  # uint8 [N,224,224,3] RGB, possibly a memory map
    labels: np.ndarray  # int64 [N]
    names: list[str]
    classes: list[str]
    fingerprint: str  # tells one set from another in cached results

    def __len__(self) -> int:
        return len(self.pixels)


@dataclass(frozen=True)
class ClassMap:
    """Which output of the teacher stands for which folder, and what people call it."""

    folders: list[str]
    outputs: list[int]
    labels: list[str]


def read_class_map(source: str | Path, folders: list[str]) -> ClassMap:
    """Read {folder: [teacher output, label]} from a JSON file or a map that comes with thumbnet, by name."""
    path = _own_or_given(source, ".json")
    if not path.is_file():
        raise ValueError(f"no class map {path}: give a JSON file of {{folder: [teacher output, label]}}")
    entries = json.loads(path.read_text())
    missing = [folder for folder in folders if folder not in entries]
    if missing:
        raise ValueError(f"{path} says nothing of {', '.join(missing)}")
    return ClassMap(folders, [entries[f][0] for f in folders], [entries[f][1] for f in folders])


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


def require_same_classes(train: Photos, val: Photos) -> None:
    """Refuse photos to measure on whose class folders are others than train's: labels would stand for other classes."""
    if train.classes != val.classes:
        odd = sorted(set(train.classes) ^ set(val.classes))
        raise ValueError(f"train and val must hold the same class folders; only one of them has {', '.join(odd)}")


def squash(path: Path) -> np.ndarray:
    """Decode a file and resize it to 224x224 as the Worker does with `fit=fill`: Pillow's bicubic, whole image."""
    with Image.open(path) as image:
        image = image.convert("RGB")
        if image.size != (SIDE, SIDE):
            image = image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        return np.asarray(image)


def read_folder(folder: Path, cache: Path, exclude: str = "") -> Photos:
    """Read an image folder (`folder/<class>/<file>`, or files alone, unlabelled); decoded once into `cache`.

    `exclude` is a pattern of file names to leave out.
    """
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in SUFFIXES and not fnmatch(f.name, exclude))
    if not files:
        raise ValueError(f"no image files in {folder}")
    classes = sorted({f.parent.name for f in files if f.parent != folder})
    index = {name: i for i, name in enumerate(classes)}
    labels = np.array([index.get(f.parent.name, -1) for f in files], dtype=np.int64)
    stamp = "\n".join(f"{f.relative_to(folder)} {f.stat().st_size}" for f in files)
    fingerprint = sha256(stamp.encode()).hexdigest()[:16]
    packed = cache / f"photos-{fingerprint}.npy"
    with locked(packed):
        if not packed.is_file():
            partial = packed.with_suffix(".part")
            stack = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(files), SIDE, SIDE, 3))
            with ThreadPoolExecutor() as threads:
                decoded = tqdm(threads.map(squash, files), total=len(files), desc=f"decode {folder.name}", unit="photo")
                for row, image in enumerate(decoded):
                    stack[row] = image
            stack.flush()
            partial.rename(packed)
    return Photos(np.load(packed, mmap_mode="r"), labels, [f.name for f in files], classes, fingerprint)


def read_unlabelled(source: Path, cache: Path, every: int = 1) -> Photos:
    """Read every n-th photo, without labels, of a folder or of a `.npy` of uint8 [N,224,224,3]."""
    if source.is_dir():
        photos = read_folder(source, cache, exclude=NEVER_TRAINED_ON)
        pixels, stamp = photos.pixels[::every], photos.fingerprint.encode()
    else:
        pixels = np.load(source, mmap_mode="r")
        if pixels.dtype != np.uint8 or pixels.shape[1:] != (SIDE, SIDE, 3):
            raise ValueError(f"{source}: expected uint8 [N,{SIDE},{SIDE},3], got {pixels.dtype} {list(pixels.shape)}")
        pixels = pixels[::every]
        stamp = f"{source.name} {pixels.shape}".encode() + pixels[:: max(1, len(pixels) // 16)].tobytes()
    fingerprint = f"{sha256(stamp).hexdigest()[:16]}-{every}"
    return Photos(pixels, np.full(len(pixels), -1), [], [], fingerprint)
