"""Gather further unlabelled photos from public repositories: `python -m thumbnet.gather MIRROR OUT [POOL]`.

MIRROR holds git copies of the repositories below as `owner+name/`. OUT becomes a stack for `--unlabelled`, uint8
[N,224,224,3]; after the photos of POOL, another such stack, if one is given. None of the photos is part of this
project. They are there for their variety: half of ImageNet's classes are on fewer than 20 photos of the pool that the
other runs learn from.
"""

import io
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from thumbnet.photos import SIDE, SUFFIXES

SMALLEST = 150  # pixels of the short side
NARROWEST = 2.5  # sides, long to short


@dataclass(frozen=True)
class Repository:
    """Where photos are: a folder of a repository at one of its commits."""

    name: str
    commit: str
    folder: str


REPOSITORIES = (
    # Caltech-101: 101 kinds of objects (CC BY 4.0)
    Repository(
        "MachineLearning2020/Homework2-Caltech101", "836044dd000296b2bb74d0aa4b4e462e459b01d7", "101_ObjectCategories"
    ),
    # thirty kinds of musical instruments (no licence stated: research use)
    Repository("aizadaaskar/dl-homework", "e1f4d1754dd7503f5ccf911da8d22ee8f987ef36", "train"),
    # fruit, vegetables and packages in shops (MIT)
    Repository("marcusklasson/GroceryStoreDataset", "fc80ba90f803d79d0383df52c5a4ac5de99ff6fc", "dataset"),
)  # fmt: skip


def blobs(git: Path, repository: Repository) -> list[str]:
    """Names of a repository's photos as git knows them, each once, in the order of their paths."""
    listing = ["git", "-C", str(git), "ls-tree", "-r", repository.commit, f"{repository.folder}/"]
    lines = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.splitlines()
    rows = [line.split("\t", 1) for line in lines]
    return list(
        dict.fromkeys(head.split()[2] for head, path in rows if Path(path.strip('"')).suffix.lower() in SUFFIXES)
    )


def contents(git: Path, names: list[str]) -> Iterator[bytes]:
    """Yield blobs, one after the other."""
    with subprocess.Popen(
        ["git", "-C", str(git), "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as cat:
        if cat.stdin is None or cat.stdout is None:
            raise RuntimeError("git has no pipes")
        for name in names:
            cat.stdin.write(f"{name}\n".encode())
            cat.stdin.flush()
            size = int(cat.stdout.readline().split()[2])
            yield cat.stdout.read(size)
            cat.stdout.read(1)
        cat.stdin.close()


def middle(data: bytes) -> np.ndarray | None:
    """Decode a file and crop the middle of its 224-pixel size, uint8 [224,224,3]; None if it is too small or narrow."""
    with Image.open(io.BytesIO(data)) as file:
        short, long = sorted(file.size)
        if short < SMALLEST or long > NARROWEST * short:
            return None
        file.draft("RGB", (2 * SIDE, 2 * SIDE))
        image = file.convert("RGB")
    scale = SIDE / min(image.size)
    image = image.resize(
        (max(SIDE, round(image.width * scale)), max(SIDE, round(image.height * scale))), Image.Resampling.BICUBIC
    )
    left, top = (image.width - SIDE) // 2, (image.height - SIDE) // 2
    return np.asarray(image.crop((left, top, left + SIDE, top + SIDE)))


def main(mirror: Path, out: Path, pool: Path | None = None) -> None:
    """Write the stack."""
    listed = [(mirror / r.name.replace("/", "+"), r) for r in REPOSITORIES]
    found = [
        (next(p.parent for p in sorted(folder.rglob("HEAD")) if (p.parent / "objects").is_dir()), r)
        for folder, r in listed
    ]
    names = [(git, blobs(git, repository)) for git, repository in found]
    first = np.load(pool, mmap_mode="r") if pool else np.empty((0, SIDE, SIDE, 3), np.uint8)
    photos: list[np.ndarray] = []
    with tqdm(total=sum(len(own) for _, own in names), unit="photo") as bar:
        for git, own in names:
            for data in contents(git, own):
                bar.update()
                try:
                    photo = middle(data)
                except OSError:
                    continue
                if photo is not None:
                    photos.append(photo)
    stack = np.lib.format.open_memmap(out, "w+", np.uint8, (len(first) + len(photos), SIDE, SIDE, 3))
    stack[: len(first)] = first
    for row, photo in enumerate(photos, len(first)):
        stack[row] = photo
    stack.flush()
    print(f"{len(first)} + {len(photos)} photos")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
