"""The training loop of one phase: AdamW, warm-up and cosine, checkpoints that resume exactly."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from thumbnet.config import Schedule
from thumbnet.distributed import Place
from thumbnet.feed import Feed

WARM_UP = 0.05
WEIGHT_DECAY = 1e-4
SAVE_EVERY_SECONDS = 120


@dataclass
class Progress:
    """Where a run stands; everything in it goes into the checkpoint."""

    phase: int = 0
    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    averages: dict[str, float] = field(default_factory=dict)  # of the phase's losses, as the history shows them
    optimizer: dict[str, Any] | None = None


def rate(schedule: Schedule, step: int) -> float:
    """Learning rate of a step."""
    warm = max(1, round(schedule.steps * WARM_UP))
    if step < warm:
        return schedule.lr * (step + 1) / warm
    return schedule.lr * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, schedule.steps - warm)))


def fit(
    name: str, phase: nn.Module, groups: list[dict[str, Any]], schedule: Schedule, feed: Feed, progress: Progress,
    place: Place, save: Callable[[], None], stop_at: int | None = None,
) -> bool:  # fmt: skip
    """Train one phase from `progress.step` to its end; False if stopped before it at `stop_at` (for tests).

    `groups`: optimiser groups, each with "params" and "scale", its learning rate relative to the schedule's.
    """
    optimizer = torch.optim.AdamW([{**g, "lr": 0.0} for g in groups], weight_decay=WEIGHT_DECAY)
    if progress.optimizer:
        optimizer.load_state_dict(progress.optimizer)
    phase.train()
    # Unused: the classifier of a student that only maps features.
    module = DistributedDataParallel(phase, find_unused_parameters=True) if place.processes > 1 else phase
    averages = progress.averages
    began, saved = time.monotonic() - progress.seconds, time.monotonic()
    with tqdm(total=schedule.steps, initial=progress.step, desc=name, disable=not place.first, mininterval=2) as bar:
        for step in range(progress.step, schedule.steps):
            lr = rate(schedule, step)
            for group in optimizer.param_groups:
                group["lr"] = lr * group["scale"]
            torch.manual_seed(feed.seed_of(step))  # dropout after a resume is what it would have been
            terms = module(feed.at(step))
            require_finite(terms, f"{name}, step {step + 1}")
            optimizer.zero_grad(set_to_none=True)
            torch.stack(list(terms.values())).sum().backward()
            optimizer.step()
            for key, value in terms.items():
                averages[key] = averages.get(key, value.item()) * 0.95 + value.item() * 0.05
            bar.set_postfix({k: f"{v:.4f}" for k, v in averages.items()}, refresh=False)
            bar.update()
            progress.step = step + 1
            if progress.step % 20 == 0 or progress.step == schedule.steps:
                progress.history.append({"phase": name, "step": progress.step, "lr": lr, **averages})
            progress.seconds = time.monotonic() - began
            if progress.step == stop_at or time.monotonic() - saved > SAVE_EVERY_SECONDS:
                progress.optimizer = optimizer.state_dict()
                save()
                saved = time.monotonic()
            if progress.step == stop_at:
                return False
    progress.optimizer, progress.averages = None, {}
    return True


def require_finite(terms: dict[str, torch.Tensor], where: str) -> None:
    """Refuse to go on from losses that are no numbers: every weight would become one of those."""
    lost = [name for name, value in terms.items() if not math.isfinite(value.item())]
    if lost:
        raise ValueError(f"{where}: {', '.join(lost)} is no finite number; try a lower learning rate")


def groups_of(phase: nn.Module, scales: dict[str, float]) -> list[dict[str, Any]]:
    """Optimiser groups: parameters whose names begin as those of `scales` have its rates, the rest 1."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in phase.named_parameters():
        if parameter.requires_grad:
            scale = next((scale for prefix, scale in scales.items() if name.startswith(prefix)), 1.0)
            groups.setdefault(scale, []).append(parameter)
    return [{"params": params, "scale": scale} for scale, params in groups.items()]
