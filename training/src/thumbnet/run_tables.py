"""Tables of finished runs: students, E against bicubic, the teacher behind the restorer."""

from statistics import mean
from typing import Any

from thumbnet.ablations import THOUSAND
from thumbnet.markdown import table
from thumbnet.rows import FURTHER, PAIRS, RESTORED
from thumbnet.seeds import Runs, Scores, gain, points, shown, spread


def accuracy_table(runs: Runs) -> str:
    """Top-1 and top-5 of T, Direct and every student, over all val photos and the two kinds of files apart."""
    head = ["network", "thumbnail", "steps", "top-1", "top-5", "lost to T", "top-1, `n0*`", "top-1, `ILSVRC2012_val_*`"]
    some = next(iter(runs.values()))[0]["result"]
    original = some["teacher"]["all"]["top1"]

    def line(label: str, thumbnail: str, steps: str, found: list[dict[str, Any]], part: str) -> list[str]:
        top1 = points(found, part)
        cells = [label, thumbnail, steps, spread(top1), spread(points(found, part, top="top5"))]
        cells.append("" if part == "teacher" else f"{original - mean(top1):.2f}")
        return cells + [spread(points(found, part, group)) for group in ("imagenet_train", "imagenet_val")]

    lines = [line("T (Original)", "224 px photo", "", [next(iter(runs.values()))[0]], "teacher")]
    for size in (112, 56):
        found = [r for group in runs.values() for r in group if r["options"]["size"] == size][:1]
        if found:
            lines.append(line("T (Direct)", f"bicubic {size} px", "", found, "direct"))
    written: set[str] = set()  # one bicubic run may stand beside several
    for label, learned, bicubic in PAIRS:
        for name, thumbnail in ((learned, "E"), (bicubic, "bicubic")):
            if name in runs and name not in written:
                written.add(name)
                lines.append(line(label, thumbnail, _steps(runs[name], "learn"), runs[name], "student"))
    for label, name in FURTHER:
        if name in runs:
            thumbnail = "E" if runs[name][0]["options"]["width"] else "bicubic"
            lines.append(line(label, thumbnail, _steps(runs[name], "learn"), runs[name], "student"))
    return table(head, lines)


def gain_table(runs: Runs, thousand: Scores) -> str:
    """E against bicubic under the same losses, schedule and seeds; `thousand`: what runs reach over all classes."""
    lines = []
    for label, learned, bicubic in PAIRS:
        if learned in runs and bicubic in runs:
            ours, theirs = points(runs[learned], "student"), points(runs[bicubic], "student")
            gained = f"**{gain(ours, theirs).middle:+.2f}**"
            lines.append(
                [label, spread(ours), spread(theirs), gained, shown(thousand, learned), shown(thousand, bicubic)]
            )
    return table(["", "E", "bicubic", "E gains (points of top-1)", f"E, {THOUSAND}", f"bicubic, {THOUSAND}"], lines)


def restored_table(runs: Runs, thousand: Scores) -> str:
    """The unmodified teacher behind the restorer."""
    lines = []
    for label, name in RESTORED:
        if name in runs:
            top1, top5 = (points(runs[name], "restored", top=top) for top in ("top1", "top5"))
            psnr = spread([r["result"]["psnr"] for r in runs[name]])
            steps = _steps(runs[name], "reconstruct", "restore")
            lines.append([label, steps, spread(top1), spread(top5), shown(thousand, name), psnr])
    head = ["thumbnail, restored, into the unmodified T", "steps", "top-1", "top-5", THOUSAND, "PSNR (dB)"]
    return table(head, lines)


def _steps(seeds: list[dict[str, Any]], *phases: str) -> str:
    """Steps and batch of those phases that a run has."""
    schedules = (seeds[0]["options"][phase] for phase in phases)
    return " + ".join(f"{schedule['steps']} x {schedule['batch']}" for schedule in schedules if schedule["steps"])
