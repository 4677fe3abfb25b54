"""Batches for each phase: labelled and unlabelled views, the teacher's answers, and thumbnails of a frozen E."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from thumbnet import fingerprint
from thumbnet.answers import Answers, look_up
from thumbnet.balance import drawn
from thumbnet.batch import Batch
from thumbnet.distributed import Place
from thumbnet.downscaler import Downscaler
from thumbnet.locking import locked
from thumbnet.mixing import mix
from thumbnet.pixels import to_bytes, to_unit
from thumbnet.views import Views, shuffled


@dataclass
class Source:
    """One set of views with what is known of them."""

    views: Views
    answers: Answers | None = None
    thumbnails: list[np.ndarray] | None = None  # by round, uint8 [N,s,s,3]
    chances: np.ndarray | None = None  # [views], of being drawn; none: all views in turn
    every: int = 1  # of the photos in turn, which one is drawn

    def batch(self, size: int, step: int, seed: list[int]) -> np.ndarray:
        """Indices of the views of a batch."""
        if self.chances is not None:
            return drawn(self.chances, size, step, seed)
        photos = len(self.views.photos)
        kept = -(-photos // self.every)
        rounds, nth = np.divmod(shuffled(kept * self.views.rounds, size, step, seed), kept)
        return rounds * photos + nth * self.every


def make_thumbnails(downscaler: Downscaler, views: Views, cache: Path) -> list[np.ndarray]:
    """Run a frozen E over all views, as it is served; each round is kept in `cache`."""
    downscaler.eval()
    name = f"{fingerprint.of_weights(downscaler)}-{downscaler.size}"
    rounds, count = [], len(views.photos)
    for round_ in range(views.rounds):
        path = cache / f"thumbnails-{name}-{views.round_name(round_)}.npy"
        with locked(path):
            if not path.is_file():
                partial = path.with_suffix(".part")
                stack = np.lib.format.open_memmap(partial, "w+", np.uint8, (count, downscaler.size, downscaler.size, 3))
                blocks = [np.arange(i, min(i + 64, count)) for i in range(0, count, 64)]
                with ThreadPoolExecutor(1) as ahead, torch.no_grad():
                    upcoming = ahead.map(lambda block, r=round_: views.batch(block + r * count), blocks)
                    for block, pixels in zip(tqdm(blocks, desc=f"thumbnails {round_}"), upcoming, strict=True):
                        stack[block] = to_bytes(downscaler(to_unit(torch.from_numpy(pixels))).clamp(0, 1)).numpy()
                stack.flush()
                partial.rename(path)
        rounds.append(np.load(path, mmap_mode="r"))
    return rounds


class Feed:
    """Batches of a phase, each a pure function of (seed, step), made one step ahead of the training."""

    def __init__(
        self, labelled: Source, unlabelled: Source | None, share: float, batch: int, seed: list[int], place: Place,
        whole_images: bool, with_maps: bool = False, cutmix: float = 0.0, flip: bool = False,
    ) -> None:  # fmt: skip
        self.parts = [(labelled, batch - round(batch * share) if unlabelled else batch)]
        if unlabelled:
            self.parts.append((unlabelled, round(batch * share)))
        self.seed, self.place, self.whole_images, self.with_maps = seed, place, whole_images, with_maps
        self.cutmix, self.flip = cutmix, flip
        self.ahead = ThreadPoolExecutor(1)
        self.upcoming: dict[int, Future[Batch]] = {}

    def at(self, step: int) -> Batch:
        """Batch of a step."""
        ready = self.upcoming.pop(step, None) or self.ahead.submit(self._make, step)
        self.upcoming = {step + 1: self.ahead.submit(self._make, step + 1)}
        return ready.result()

    def seed_of(self, step: int) -> int:
        """Seed of what else is random in a step, in this process."""
        return int(np.random.SeedSequence([*self.seed, step, self.place.rank]).generate_state(1)[0])

    def close(self) -> None:
        """Stop reading ahead."""
        self.ahead.shutdown(cancel_futures=True)

    def _make(self, step: int) -> Batch:
        pieces: list[dict[str, Tensor | None]] = []
        for number, (source, size) in enumerate(self.parts):
            indices = source.batch(size, step, [*self.seed, number])
            indices = indices[self.place.rank :: self.place.processes]
            if not len(indices):
                continue
            known: dict[str, Tensor | None] = {
                "image": torch.from_numpy(source.views.batch(indices)) if self.whole_images else None,
                "thumbnail": None,
                "labels": torch.from_numpy(source.views.labels(indices)),
                "logits": None,
                "pooled": None,
                "maps": None,
            }
            if not self.whole_images and source.thumbnails:
                count = len(source.views.photos)
                stack = [source.thumbnails[i // count][i % count] for i in indices.tolist()]
                known["thumbnail"] = torch.from_numpy(np.stack(stack))
            if source.answers:
                known["logits"] = look_up(source.answers.logits, indices)
                known["pooled"] = look_up(source.answers.pooled, indices)
                if self.with_maps:
                    known["maps"] = look_up(source.answers.maps, indices)
            pieces.append(known)
        joined = {}
        for key in pieces[0]:
            values = [piece[key] for piece in pieces]
            joined[key] = None if any(v is None for v in values) else torch.cat([v for v in values if v is not None])
        if self.cutmix or self.flip:
            joined |= self._mixed("image" if self.whole_images else "thumbnail", joined, step)
        return Batch(**joined)  # ty: ignore[invalid-argument-type]

    def _mixed(self, seen: str, batch: dict[str, Tensor | None], step: int) -> dict[str, Tensor]:
        pictures, labels = batch[seen], batch["labels"]
        if pictures is None or labels is None:
            raise ValueError("nothing to mix")
        random = np.random.default_rng([*self.seed, step, self.place.rank])
        mixed = mix(pictures.numpy(), labels.numpy() >= 0, self.cutmix, self.flip, random)
        return {
            seen: torch.from_numpy(mixed.pixels),
            "partners": torch.from_numpy(mixed.partners),
            "share": torch.from_numpy(mixed.share),
        }
