"""One figure a run: the loss terms of each phase over its steps."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

pyplot.rcParams["svg.hashsalt"] = "thumbnet"  # the same data, the same bytes


def draw(history: list[dict[str, Any]], result: dict[str, Any], path: Path) -> None:
    """Draw a run's history as SVG; nothing where nothing was trained."""
    phases = list(dict.fromkeys(row["phase"] for row in history))
    if not phases:
        return
    figure, axes = pyplot.subplots(1, len(phases), figsize=(4.5 * len(phases), 3.2), squeeze=False)
    for axis, phase in zip(axes[0], phases, strict=True):
        rows = [row for row in history if row["phase"] == phase]
        for term in [key for key in rows[0] if key not in ("phase", "step", "lr")]:
            axis.plot([row["step"] for row in rows], [row[term] for row in rows], label=term, linewidth=1)
        axis.set(title=phase, xlabel="step", yscale="log")
        axis.legend(frameon=False)
    if "student" in result:
        figure.suptitle(f"student top-1 {result['student']['all']['top1']} %")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
