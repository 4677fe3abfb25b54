"""Accuracy against bytes of several trainings, as `thumbnet.codec_curve` measured them: a table."""

import json
from pathlib import Path
from statistics import mean
from typing import Any

from thumbnet.markdown import table
from thumbnet.seeds import Scores, spread, without_seed


def codec_table(path: Path, labels: dict[str, str]) -> str:
    """One row for each data set, format and quality; top-1 in percent and mean bytes of `labels`' runs and seeds."""
    if not path.is_file():
        return "Not measured yet: `python -m thumbnet.codec_curve`.\n"
    measured = json.loads(path.read_text())
    rows: list[dict[str, Any]] = [row for row in measured["rows"] if without_seed(row["run"]) in labels]
    rows = [row for row in rows if any(r["run"] == row["run"] and r["quality"] for r in rows)]
    runs = [name for name in labels if any(without_seed(row["run"]) == name for row in rows)]
    head = ["photos", "file", *(labels[name] for name in runs)]
    lines = []
    for data, image_format, quality in dict.fromkeys((r["data"], r["format"], r["quality"]) for r in rows):
        same = [r for r in rows if (r["data"], r["format"], r["quality"]) == (data, image_format, quality)]
        cells = [f"{data} ({same[0]['images']})", f"{image_format} q{quality}" if quality else image_format]
        lines.append(cells + [_point([r for r in same if without_seed(r["run"]) == name]) for name in runs])
    versions = ", ".join(f"{name} {version}" for name, version in measured["versions"].items())
    return f"{table(head, lines)}\n{'; '.join(f'`{command}`' for command in measured['commands'])}; {versions}.\n"


def lossless(path: Path, data: str) -> Scores:
    """Top-1 in percent of each run's seeds on the photos of `data` from thumbnails without loss."""
    rows: list[dict[str, Any]] = json.loads(path.read_text())["rows"] if path.is_file() else []
    found: Scores = {}
    for row in rows:
        if row["data"] == data and not row["quality"]:
            found.setdefault(without_seed(row["run"]), []).append(row["top1"])
    return found


def _point(seeds: list[dict[str, Any]]) -> str:
    if not seeds:
        return ""
    size = mean(row["bytes"] or 0 for row in seeds)
    return spread([row["top1"] for row in seeds], digits=1) + (f", {size:.0f} B" if size else "")
