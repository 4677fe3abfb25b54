"""What tells data and weights from others: caches and checkpoints belong to those that they were made of."""

from hashlib import file_digest, sha256
from pathlib import Path

from torch import nn

from thumbnet.atomic import write_atomically
from thumbnet.locking import locked


def of_file(file: Path, cache: Path) -> str:
    """Hash a file's bytes, or take the hash from `cache` while the file keeps its size and time."""
    kept = cache / f"hash-{of_text(stamp_of(file, file.resolve()))}.txt"
    with locked(kept):
        if not kept.is_file():
            with file.open("rb") as opened:
                write_atomically(kept, file_digest(opened, "sha256").hexdigest()[:16])
    return kept.read_text()


def of_text(text: str) -> str:
    """Hash a text."""
    return sha256(text.encode()).hexdigest()[:16]


def of_weights(module: nn.Module) -> str:
    """Hash a network's weights."""
    return sha256(b"".join(v.numpy().tobytes() for v in module.state_dict().values())).hexdigest()[:12]


def stamp_of(file: Path, name: Path) -> str:
    """Name, size and time of a file: what changes when somebody puts another one in its place."""
    state = file.stat()
    return f"{name} {state.st_size} {state.st_mtime_ns}"
