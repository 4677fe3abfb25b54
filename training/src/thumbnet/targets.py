"""What this project aims at, and what came of it: the first table of docs/results.md."""

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from thumbnet.markdown import table
from thumbnet.seeds import Runs, Scores, points

IMAGENETTE, THOUSAND = "Imagenette v2 val (224 px)", "NIPS-2017 (224 px)"
LOST = (  # (what, model, photos, goal, floor): points that T loses, in the files of models/
    ("112 px: S", "student-112-full", IMAGENETTE, 0.3, 1.0),
    ("56 px: S with T's own strides", "student-56", IMAGENETTE, 1.0, 5.0),
    ("56 px: S with more of T's resolution", "student-56-full", IMAGENETTE, 0.5, 2.0),
    ("112 px: S, a thousand classes", "student-112-full", THOUSAND, 4.0, 12.0),
    ("112 px: T behind the restorer, a thousand classes", "restored-112", THOUSAND, 1.0, 4.0),
    ("56 px: T behind the restorer, a thousand classes", "restored-56", THOUSAND, 4.0, 10.0),
)
GAINED = (  # (what, part of the result, run on E's thumbnails, run on bicubic ones, goal, floor): points
    ("S with T's own strides", "student", "student-56-gentle", "student-56-gentle-bicubic", 2.0, 1.0),
    ("S with a stem of its own", "student", "ablation-full", "ablation-full-bicubic", 2.0, 1.0),
    ("T behind the restorer", "restored", "ablation-rebuilt", "ablation-rebuilt-bicubic", 5.0, 3.0),
)


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


def verdict(measured: float, goal: float, floor: float) -> str:
    """Say which was reached. A goal that is above its floor is one where more is better."""
    sign = 1 if goal > floor else -1
    if sign * measured >= sign * goal:
        return "goal"
    return "floor" if sign * measured >= sign * floor else "**missed**"


def targets_table(models: Path, runs: Runs, thousand: Scores) -> str:
    """A row for each target. Gains are judged by the seeds that are least apart."""
    cards = {path.parent.name: json.loads(path.read_text()) for path in models.glob("*/card.json")}
    scores = {name: {e["dataset"]: e["value"] for e in card["evaluation"]} for name, card in cards.items()}
    teacher, lines = scores.get("teacher-224", {}), []
    for what, name, photos, goal, floor in LOST:
        if photos not in teacher or photos not in scores.get(name, {}):
            continue
        lost = round(teacher[photos] - scores[name][photos], 2)
        lines.append(
            [what, "points lost to T", f"{goal:g}", f"{floor:g}", f"{lost:g}", verdict(lost, goal, floor), name]
        )
    for what, part, learned, bicubic, goal, floor in GAINED:
        imagenette = (points(runs[name], part) if name in runs else [] for name in (learned, bicubic))
        clean = (thousand.get(name, []) for name in (learned, bicubic))
        for photos, (ours, theirs) in (("Imagenette", imagenette), ("a thousand classes", clean)):
            if ours and theirs:
                found = gain(ours, theirs)
                measured = f"{found.middle:+.1f}" + (f" (least {found.least:+.1f})" if len(ours) > 1 else "")
                said = verdict(found.least, goal, floor)
                lines.append(
                    [
                        f"56 px: E over bicubic, {what}, {photos}",
                        "points gained",
                        f"{goal:g}",
                        f"{floor:g}",
                        measured,
                        said,
                        learned,
                    ]
                )
    return table(["at", "", "goal", "floor", "measured", "reached", "by"], lines)
