"""Photos on disk: image folders and `.npy` stacks, as uint8 [N,224,224,3] with labels."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, features
from tqdm import tqdm

from thumbnet import fingerprint
from thumbnet.locking import locked

SIDE = 224
NEVER_TRAINED_ON = "ILSVRC2012_val_*"  # ImageNet's validation photos: Imagenette's train folder holds some
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"} | ({".avif"} if features.check("avif") else set())
DECODING = "3"  # part of the cached pixels' name: to be changed with `squash`
TURNS = {  # EXIF's orientations, and what makes them upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
NOT_EXIF = ("xmp", "XML:com.adobe.xmp", "Raw profile type exif")  # turns that Pillow knows, but no browser or Worker


@dataclass(frozen=True)
class Photos:
    """A set of photos. `labels` are class indices 0..classes-1, -1 where unknown; `names` the files' names."""

    pixels: np.ndarray  # uint8 [N,224,224,3] RGB, possibly a memory map
    labels: np.ndarray  # int64 [N]
    names: list[str]
    classes: list[str]
    fingerprint: str  # of the pixels

    def __len__(self) -> int:
        return len(self.pixels)


def require_same_classes(train: Photos, val: Photos) -> None:
    """Refuse photos to measure on whose class folders are others than train's: labels would stand for other classes."""
    if train.classes != val.classes:
        odd = sorted(set(train.classes) ^ set(val.classes))
        raise ValueError(f"train and val must hold the same class folders; only one of them has {', '.join(odd)}")
    for name, photos in {"train": train, "val": val}.items():
        astray = [file for file, label in zip(photos.names, photos.labels, strict=True) if label < 0]
        if astray:
            raise ValueError(f"{name} must hold photos in class folders alone; {astray[0]} is in none")


def squash(path: Path) -> np.ndarray:
    """Decode a file and resize it to 224x224 as the Worker does with `fit=fill`: Pillow's bicubic, the whole image,
    upright as its EXIF says, of 16-bit samples the high byte. ValueError if it is damaged.

    In one `resize` Pillow 13 shrinks tall photos down first, others across, with a rounding between; so in two.
    """
    try:
        with Image.open(path) as image:
            image.load()  # a PNG may bring more of `info` behind its pixels
            for key in NOT_EXIF:
                image.info.pop(key, None)
            turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
            high = image.mode.startswith("I;16")
            stored = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)) if high else image
            square = stored.convert("RGB")
    except (OSError, RuntimeError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} is no whole image: {error}") from error
    for size in ((SIDE, square.height), (SIDE, SIDE)):
        square = square.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(square if turn is None else square.transpose(turn))


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder, also through links to folders, but for links back to a folder on the way."""
    for path, folders, names in os.walk(folder, followlinks=True):
        here = Path(path)
        way = {above.resolve() for above in (here, *here.parents)}
        folders[:] = [name for name in folders if (here / name).resolve() not in way]
        yield from (here / name for name in names)


def read_folder(folder: Path, cache: Path, exclude: str = "") -> Photos:
    """Read an image folder (`folder/<class>/<file>`, or files alone, unlabelled); decoded once into `cache`.

    `exclude` is a pattern of file names to leave out.
    """
    found = list(_files(folder))
    photos = [file for file in found if file.suffix.lower() in SUFFIXES]
    files = sorted(file for file in photos if not fnmatch(file.name, exclude))
    if not files:
        raise ValueError(f"no image files in {folder}: expected {', '.join(sorted(SUFFIXES))}")
    if len(photos) < len(found):
        print(f"{folder}: {len(found) - len(photos)} files that are no photos are left out")
    names = [file.relative_to(folder) for file in files]
    classes = sorted({name.parts[0] for name in names if len(name.parts) > 1})
    index = {name: i for i, name in enumerate(classes)}
    labels = np.array([index.get(name.parts[0], -1) for name in names], dtype=np.int64)
    stamps = [fingerprint.stamp_of(file, name) for file, name in zip(files, names, strict=True)]
    stamp = "\n".join([DECODING, *stamps])
    packed = cache / f"photos-{fingerprint.of_text(stamp)}.npy"
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
    pixels = np.load(packed, mmap_mode="r")
    return Photos(pixels, labels, [f.name for f in files], classes, fingerprint.of_file(packed, cache))


def read_unlabelled(source: Path, cache: Path, every: int = 1) -> Photos:
    """Read every n-th photo, without labels, of a folder or of a `.npy` of uint8 [N,224,224,3]."""
    if source.is_dir():
        photos = read_folder(source, cache, exclude=NEVER_TRAINED_ON)
        pixels, content = photos.pixels[::every], photos.fingerprint
    else:
        pixels = np.load(source, mmap_mode="r")
        if pixels.dtype != np.uint8 or pixels.shape[1:] != (SIDE, SIDE, 3):
            raise ValueError(f"{source}: expected uint8 [N,{SIDE},{SIDE},3], got {pixels.dtype} {list(pixels.shape)}")
        pixels, content = pixels[::every], fingerprint.of_file(source, cache)
    return Photos(pixels, np.full(len(pixels), -1), [], [], f"{content}-{every}")
