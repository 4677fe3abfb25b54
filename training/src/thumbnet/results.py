"""Keep what finished runs measured, small enough to commit: `python -m thumbnet.results RUNS OUT [NAME...]`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

POINTS = 60  # of each loss curve


def collect(runs: Path, out: Path, chosen: Sequence[str] = ()) -> list[str]:
    """Write OUT/<run>.json {name, options, result, history} for each finished run, or those chosen; return names."""
    out.mkdir(parents=True, exist_ok=True)
    names = []
    for path in sorted(runs.glob("*/result.json")):
        run = path.parent
        if chosen and run.name not in chosen:
            continue
        options = json.loads((run / "config.json").read_text())
        for place in ("data", "out", "cache", "unlabelled", "downscaler", "student", "ending_of", "teacher_weights"):
            options[place] = "/".join(Path(options[place]).parts[-2:]) if options.get(place) else None
        options["heads"] = ["/".join(Path(head).parts[-2:]) for head in options.get("heads", [])]
        history = json.loads((run / "history.json").read_text()) if (run / "history.json").is_file() else []
        kept = {"name": run.name, "options": options, "result": json.loads(path.read_text()), "history": thin(history)}
        (out / f"{run.name}.json").write_text(json.dumps(kept, indent=1) + "\n")
        names.append(run.name)
    return names


def thin(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep about POINTS evenly spaced rows of each phase, the last among them, with three digits."""
    kept = []
    for phase in dict.fromkeys(row["phase"] for row in history):
        rows = [row for row in history if row["phase"] == phase]
        stride = max(1, len(rows) // POINTS)
        kept += rows[::-1][::stride][::-1]
    return [{k: float(f"{v:.3g}") if isinstance(v, float) else v for k, v in row.items()} for row in kept]


if __name__ == "__main__":
    print("\n".join(collect(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])))
