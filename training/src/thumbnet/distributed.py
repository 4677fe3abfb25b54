"""Several processes (torchrun): who am I, and what only the first of us does."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

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
