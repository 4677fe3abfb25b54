"""Several processes (torchrun): who am I, and what only the first of us does."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class Place:
    """This process among `processes`."""

    rank: int = 0
    processes: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0


def require_same_progress(place: Place, phase: int, step: int, out: Path) -> None:
    """Refuse to train from different checkpoints: each process would wait for batches that the others never see."""
    if place.processes == 1:
        return
    own = torch.tensor([phase, step])
    found = [torch.empty_like(own) for _ in range(place.processes)]
    dist.all_gather(found, own)
    if any(not torch.equal(one, own) for one in found):
        places = ", ".join(f"{n}: phase {p + 1}, step {s}" for n, (p, s) in enumerate(map(torch.Tensor.tolist, found)))
        raise ValueError(f"processes would go on from different checkpoints ({places}): they must share --out {out}")


@contextmanager
def place_from_environment() -> Generator[Place]:
    """Join the group that torchrun describes (gloo: photos and small networks on CPUs), or stand alone."""
    if "RANK" not in os.environ:
        yield Place()
        return
    dist.init_process_group("gloo")
    try:
        yield Place(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
