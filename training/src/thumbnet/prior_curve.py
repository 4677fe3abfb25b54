"""How much of the classes' frequency to take back: `python -m thumbnet.prior_curve CLEAN OUT RUN ENDED [RUN ENDED]`.

Each ENDED is the RUN before it, ended with `--prior 1`; between them lie all other shares. Every tenth Imagenette val
photo, whose ten classes training shows most, and every second of CLEAN, which shows a thousand alike, are judged over
all of the teacher's classes.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from thumbnet.codec_curve import in_batches
from thumbnet.config import read_config
from thumbnet.markdown import table
from thumbnet.networks import load_run, load_run_networks
from thumbnet.pixels import quantise, to_unit
from thumbnet.unseen import clean, imagenette

SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def measure(run: Path, ended: Path, clean_photos: Path) -> list[dict[str, Any]]:
    """Top-1 in percent of each share and data, and the teacher's."""
    config = read_config(run / "config.json")
    teacher, networks = load_run(config, run)
    other = load_run_networks(read_config(ended / "config.json"), ended, teacher)
    head, biased = (n.student.network.get_classifier() for n in (networks, other))
    shift = (biased.bias - head.bias).detach()
    val, outputs = imagenette(config.data / "val", every=10)
    thousand, _ = clean(clean_photos)
    rows: list[dict[str, Any]] = []
    for data, photos, right in (
        ("Imagenette val", val, np.array(outputs)[val.labels]),
        ("NIPS-2017", thousand, thousand.labels),
    ):
        labels = torch.from_numpy(right)
        said = in_batches(
            lambda image: networks.student(quantise(networks.downscaler(to_unit(image)))).logits, photos.pixels
        )
        photo = in_batches(lambda image: teacher(to_unit(image)).logits, photos.pixels)
        answers = {"T, whole photos": photo} | {f"{share:g}": said + share * shift for share in SHARES}
        for prior, logits in answers.items():
            top1 = round(100 * float((logits.argmax(dim=1) == labels).float().mean()), 1)
            rows.append({"run": run.name, "data": data, "images": len(labels), "prior": prior, "top1": top1})
    return rows


def prior_table(path: Path) -> str:
    """A row for each share, for each run and data a column; a line in its place if not measured."""
    if not path.is_file():
        return "Not measured yet: `python -m thumbnet.prior_curve`.\n"
    result = json.loads(path.read_text())
    rows = result["rows"]
    columns = dict.fromkeys(f"`{r['run']}`, {r['data']} ({r['images']})" for r in rows)
    lines = [
        [prior, *(f"{r['top1']:.1f}" for r in rows if r["prior"] == prior)]
        for prior in dict.fromkeys(r["prior"] for r in rows)
    ]
    return table(["prior taken back", *columns], lines) + f"\n`{result['command']}`.\n"


def main(clean_photos: str, out: str, *runs: str) -> None:
    """Measure and write OUT."""
    pairs = list(zip(map(Path, runs[::2]), map(Path, runs[1::2]), strict=True))
    rows = [row for run, ended in pairs for row in measure(run, ended, Path(clean_photos))]
    names = " ".join(f"RUNS/{path.name}" for pair in pairs for path in pair)
    command = f"python -m thumbnet.prior_curve CLEAN OUT {names}"
    Path(out).write_text(json.dumps({"command": command, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
