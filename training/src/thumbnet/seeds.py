"""Finished runs, those that differ in their seed alone together."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

Runs = dict[str, list[dict[str, Any]]]  # by name without "-seed<n>"
Scores = dict[str, list[float]]  # percent of each seed, by the same names


def read_runs(results: Path) -> Runs:
    """Read every run's JSON, those of one name and several seeds together."""
    runs: Runs = {}
    for path in sorted(results.glob("*.json")):
        value = json.loads(path.read_text())
        if "options" in value:
            runs.setdefault(without_seed(value["name"]), []).append(value)
    return runs


def without_seed(name: str) -> str:
    """Name of a run that others share but for their seeds."""
    return re.sub(r"-seed\d+$", "", name)


def points(runs: list[dict[str, Any]], part: str, group: str = "all", top: str = "top1") -> list[float]:
    """Percent of each seed."""
    return [run["result"][part][group][top] for run in runs]


def spread(values: list[float], digits: int = 2) -> str:
    """Mean, and the range over seeds where there are several."""
    middle, low, high = (f"{value:.{digits}f}" for value in (mean(values), min(values), max(values)))
    return middle if len(values) == 1 else f"{middle} ({low} to {high}, {len(values)} seeds)"


@dataclass(frozen=True)
class Gain:
    """Points of top-1 that a learned thumbnail is worth under the same training."""

    middle: float
    """Between the means over the seeds."""
    least: float
    """Between the worst seed with E and the best on bicubic thumbnails: beyond the seeds' spread."""


def gain(ours: list[float], theirs: list[float]) -> Gain:
    """Compare the seeds of two runs, each in percent."""
    return Gain(mean(ours) - mean(theirs), min(ours) - max(theirs))


def shown(scores: Scores, name: str) -> str:
    """What a run reached, or nothing where it was not measured."""
    return spread(scores[name], digits=1) if name in scores else ""
