"""Accuracy against bytes of several trainings, as `thumbnet.codec_curve` measured them: a table."""

import json
from pathlib import Path
from typing import Any

from thumbnet.markdown import table


def codec_table(path: Path, labels: dict[str, str]) -> str:
    """One row for each data set, format and quality; for each run of `labels` top-1 in percent and mean bytes."""
    if not path.is_file():
        return "Not measured yet: `python -m thumbnet.codec_curve`.\n"
    measured = json.loads(path.read_text())
    rows: list[dict[str, Any]] = measured["rows"]
    runs = [name for name in labels if any(row["run"] == name for row in rows)]
    head = ["photos", "file", *(labels[name] for name in runs)]
    lines = []
    for data, image_format, quality in dict.fromkeys((r["data"], r["format"], r["quality"]) for r in rows):
        found = {r["run"]: r for r in rows if (r["data"], r["format"], r["quality"]) == (data, image_format, quality)}
        images = next(iter(found.values()))["images"]
        cells = [f"{data} ({images})", f"{image_format} q{quality}" if quality else image_format]
        lines.append(cells + [_point(found.get(name)) for name in runs])
    versions = ", ".join(f"{name} {version}" for name, version in measured["versions"].items())
    return f"{table(head, lines)}\n`{measured['command']}`; {versions}.\n"


def _point(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    return f"{row['top1']:.1f}" + (f", {row['bytes']} B" if row["bytes"] else "")
