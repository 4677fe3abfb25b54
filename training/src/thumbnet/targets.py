"""What this project aims at, and what came of it: the first table of docs/results.md."""

from collections.abc import Iterator
from pathlib import Path

from thumbnet.card import read_cards
from thumbnet.markdown import table
from thumbnet.seeds import Runs, Scores, gain, points

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
    ("S with a stem of its own, E that ships", "student", "ablation-full-shipped", "ablation-full-bicubic", 2.0, 1.0),
    ("the same for longer", "student", "ablation-full-shipped-longer", "ablation-full-longer-bicubic", 2.0, 1.0),
    ("the same, E briefly trained", "student", "ablation-full-longer", "ablation-full-longer-bicubic", 2.0, 1.0),
    (
        "T behind the restorer, E that ships",
        "restored",
        "ablation-restorer-deep",
        "ablation-restorer-deep-bicubic",
        5.0,
        3.0,
    ),
    ("T behind the restorer, E briefly trained", "restored", "ablation-rebuilt", "ablation-rebuilt-bicubic", 5.0, 3.0),
)


def verdict(measured: float, goal: float, floor: float) -> str:
    """Say which was reached. A goal that is above its floor is one where more is better."""
    sign = 1 if goal > floor else -1
    if sign * measured >= sign * goal:
        return "goal"
    return "floor" if sign * measured >= sign * floor else "**missed**"


def targets_table(models: Path, runs: Runs, thousand: Scores) -> str:
    """A row for each target that was measured."""
    head = ["at", "", "goal", "floor", "measured", "reached", "by"]
    return table(head, [*_lost(models), *_gained(runs, thousand)])


def _lost(models: Path) -> Iterator[list[str]]:
    scores = {card["name"]: {e["dataset"]: e["value"] for e in card["evaluation"]} for card in read_cards(models)}
    teacher = scores.get("teacher-224", {})
    for what, name, photos, goal, floor in LOST:
        if photos in teacher and photos in scores.get(name, {}):
            lost = round(teacher[photos] - scores[name][photos], 2)
            said = verdict(lost, goal, floor)
            yield [what, "points lost to T", f"{goal:g}", f"{floor:g}", f"{lost:g}", said, name]


def _gained(runs: Runs, thousand: Scores) -> Iterator[list[str]]:
    """Judged by the seeds that are least apart, as precisely as is shown."""
    for what, part, learned, bicubic, goal, floor in GAINED:
        imagenette = {name: points(runs[name], part) for name in (learned, bicubic) if name in runs}
        for photos, scores in (("Imagenette", imagenette), ("a thousand classes", thousand)):
            if learned in scores and bicubic in scores:
                found = gain(scores[learned], scores[bicubic])
                several = max(len(scores[learned]), len(scores[bicubic])) > 1
                least = f" (least {found.least:+.1f})" if several else ""
                measured, said = f"{found.middle:+.1f}{least}", verdict(round(found.least, 1), goal, floor)
                where = f"56 px: E over bicubic, {what}, {photos}"
                yield [where, "points gained", f"{goal:g}", f"{floor:g}", measured, said, learned]
