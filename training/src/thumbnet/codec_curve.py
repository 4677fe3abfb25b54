"""Accuracy against bytes of runs: `python -m thumbnet.codec_curve RUNS CLEAN OUT [--formats=avif,webp] NAME...`.

For each run: every fourth Imagenette val photo, and every second of CLEAN (photos and a labels.csv over ImageNet's
thousand classes), is shrunk by its E, encoded by Pillow at several qualities (`--formats=`: left lossless), decoded
and shown to its student; of a run without one, restored by its D and shown to the unmodified teacher. What OUT holds of
other runs stays. This compares trainings with each other; what is served is measured through the service's own pipeline
by `npm run bench -- bytes`.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import torch
from torch import Tensor

from thumbnet.codec import curve
from thumbnet.config import read_config
from thumbnet.evaluation import BATCH, ranks, summarise
from thumbnet.networks import load_run
from thumbnet.photos import Photos
from thumbnet.pixels import to_bytes, to_unit
from thumbnet.unseen import clean, imagenette

QUALITIES = {"avif": (50, 65, 80, 90), "webp": (20, 40, 60, 75, 90, 95)}
FORMATS = "--formats="


def measure(run: Path, clean_photos: Path, files: Mapping[str, tuple[int, ...]]) -> list[dict[str, Any]]:
    """Measure one run: data, format, quality, mean bytes and accuracy of each point; lossless first.

    `files`: qualities of each lossy format.
    """
    config = read_config(run / "config.json")
    teacher, networks = load_run(config, run)
    rows: list[dict[str, Any]] = []

    def classify(thumbnail: Tensor) -> Tensor:
        read = networks.student(thumbnail) if config.learn.steps else teacher(networks.decoder(thumbnail))
        return read.logits

    for data, (photos, outputs) in {
        "Imagenette val": imagenette(config.data / "val", every=4),
        "NIPS-2017": clean(clean_photos),
    }.items():
        thumbnails = in_batches(lambda image: to_bytes(networks.downscaler(to_unit(image))), photos.pixels).numpy()

        def score(seen: np.ndarray, photos: Photos = photos, outputs: list[int] = outputs) -> dict[str, Any]:
            received = Photos(seen, photos.labels, photos.names, photos.classes, "")
            found = ranks(classify, received, outputs, run.name)
            return summarise(found, photos)["all"]

        rows.append({"data": data, "format": "lossless", "quality": None, "bytes": None} | score(thumbnails))
        for image_format, qualities in files.items():
            for quality, size, seen in curve(thumbnails, image_format, qualities):
                row = {"data": data, "format": image_format, "quality": quality, "bytes": round(size)}
                rows.append(row | score(seen))
    return rows


def in_batches(see: Callable[[Tensor], Tensor], pixels: np.ndarray) -> Tensor:
    """What `see` makes of many pictures, uint8 [N,h,w,3], some at a time."""
    with torch.inference_mode():
        starts = range(0, len(pixels), BATCH)
        return torch.cat([see(torch.from_numpy(np.array(pixels[start : start + BATCH]))) for start in starts])


def main(runs: str, clean_photos: str, out: str, *words: str) -> None:
    """Measure and write OUT."""
    names = [word for word in words if not word.startswith(FORMATS)]
    chosen = [word.removeprefix(FORMATS).split(",") for word in words if word.startswith(FORMATS)]
    files = {name: QUALITIES[name] for name in filter(None, chosen[0])} if chosen else QUALITIES
    old = json.loads(Path(out).read_text()) if Path(out).is_file() else {"commands": [], "rows": []}
    result = {
        "commands": [*old["commands"], f"python -m thumbnet.codec_curve RUNS CLEAN OUT {' '.join(words)}"],
        "versions": {"torch": torch.__version__, "pillow": PIL.__version__},
        "rows": [row for row in old["rows"] if row["run"] not in names]
        + [{"run": name} | row for name in names for row in measure(Path(runs) / name, Path(clean_photos), files)],
    }
    Path(out).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
