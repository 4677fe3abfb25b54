"""Accuracy against bytes, as `npm run bench -- bytes` measured it: a picture and what can be read off it."""

import json
from pathlib import Path
from typing import Any

from matplotlib import pyplot

from thumbnet.markdown import table

Row = dict[str, Any]
COLUMNS = [
    "thumbnail",
    "read by",
    "Mflop at the origin",
    "top-1 %",
    "bytes",
    "plain photo as accurate, bytes",
    "fewer",
    "without containers",
]
RIVAL_COLOURS = {"jpeg": "tab:gray", "webp": "tab:olive", "avif": "tab:red"}


def frontier(rows: list[Row], size: str = "meanBytes") -> list[Row]:
    """Rows that no other beats with fewer bytes and at least their accuracy, by bytes."""
    best: list[Row] = []
    for row in sorted(rows, key=lambda r: (r[size], -r["accuracy"])):
        if not best or row["accuracy"] > best[-1]["accuracy"]:
            best.append(row)
    return best


def bytes_at(accuracy: float, rows: list[Row], size: str = "meanBytes") -> float | None:
    """Bytes at which the frontier reaches an accuracy, between its points in proportion; None beyond its best."""
    line = frontier(rows, size)
    for before, after in zip([None, *line], line, strict=False):
        if after["accuracy"] >= accuracy:
            if before is None:
                return float(after[size])
            share = (accuracy - before["accuracy"]) / (after["accuracy"] - before["accuracy"])
            return before[size] + share * (after[size] - before[size])
    return None


def equal_accuracy_table(rows: list[Row]) -> str:
    """Bytes of each head's files against the cheapest plain file, of any format and size, that is as accurate."""
    rivals = [r for r in rows if r["sender"] == "photo"]
    lines = []
    heads = dict.fromkeys(r["head"] for r in rows if r["sender"] == "thumbnail")
    for head in heads:
        for row in frontier([r for r in rows if r["sender"] == "thumbnail" and r["head"] == head]):
            theirs, bare = (bytes_at(row["accuracy"], rivals, size) for size in ("meanBytes", "meanPayload"))
            quality = f" q{row['quality']}" if row["quality"] else ""
            lines.append(
                [
                    f"{row['side']} px {row['format']}{quality}",
                    head,
                    f"{row['originFlops'] / 1e6:.0f}",
                    f"{row['accuracy'] * 100:.2f}",
                    str(row["meanBytes"]),
                    str(round(theirs)) if theirs else "",
                    f"{theirs / row['meanBytes']:.2f}x" if theirs else "",
                    f"{bare / row['meanPayload']:.2f}x" if bare else "",
                ]
            )
    return table(COLUMNS, lines)


def draw_bytes(path: Path, picture: Path) -> str:
    """Draw a file of `npm run bench -- bytes` and return the page's text; a line in its place if it is not there.

    Of the plain photos' sizes and qualities only those are drawn that none of their format beats.
    """
    if not path.is_file():
        return "Not measured yet: `npm run bench -- bytes <photos>`.\n"
    measured = json.loads(path.read_text())
    rows: list[Row] = measured["rows"]
    rivals = [r for r in rows if r["sender"] == "photo"]
    figure, axis = pyplot.subplots(figsize=(7.5, 4.8))
    for reader, style in zip(dict.fromkeys(r["head"] for r in rivals), ("--", "-"), strict=False):
        for form, colour in RIVAL_COLOURS.items():
            line = frontier([r for r in rivals if (r["format"], r["head"]) == (form, reader)])
            _line(axis, line, f"{form} into {reader}", color=colour, linestyle=style, marker=".")
    for head in dict.fromkeys(r["head"] for r in rows if r["sender"] == "thumbnail"):
        line = frontier([r for r in rows if r["sender"] == "thumbnail" and r["head"] == head])
        _line(axis, line, f"thumbnail, {head}", marker="o", linewidth=2)
    axis.set(xscale="log", xlabel="mean bytes of a file", ylabel="top-1, %", ylim=(40, 100))
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, fontsize=6, ncol=2)
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None})
    pyplot.close(figure)
    about = f"{measured['photos']} photos; `{measured['command']}`, {measured['date']}"
    if "rivals" in measured:
        about += f"; plain photos: `{measured['rivals']['command']}`, {measured['rivals']['date']}"
    for before in measured.get("earlier", []):
        about += f"; {', '.join(before['heads'])}: `{before['command']}`, {before['date']}"
    return f"![Accuracy against bytes]({picture.name})\n\n{equal_accuracy_table(rows)}\n{about}.\n"


def _line(axis: Any, rows: list[Row], label: str, **style: Any) -> None:
    rows = sorted(rows, key=lambda r: r["meanBytes"])
    axis.plot([r["meanBytes"] for r in rows], [r["accuracy"] * 100 for r in rows], label=label, **style)
