"""Writes the teacher as a served model, for benchmarks: uv run --project training python bench/teacher.py FOLDER."""

import json
import sys
from importlib.resources import files
from pathlib import Path

from thumbnet.card import logits, pixels, size_of, write_card
from thumbnet.classifier import keep_classes, load_teacher
from thumbnet.onnx_files import ServedStudent, write_onnx

SIDE = 224


def main() -> None:
    """Export T with the ten classes of Imagenette: image uint8 [N,224,224,3] -> logits float32 [N,10]."""
    classes = json.loads((files("thumbnet") / "classes" / "imagenette.json").read_text()).values()
    teacher = load_teacher()
    keep_classes(teacher, [output for output, _ in classes])
    served = ServedStudent(teacher)
    folder = Path(sys.argv[1]) / "teacher-224"
    write_onnx(served, SIDE, ("image", "logits"), folder / "1" / "model.onnx", round_weights=True)
    card = {
        "schema": 1, "version": "1", "name": "teacher-224", "role": "teacher",
        "input": pixels("image", SIDE), "output": logits(len(classes)),
        "preprocessing": {"size": SIDE, "filter": "bicubic", "fit": "fill"}, "downscaler": None, "students": [],
        "classes": len(classes), "labels": "labels.txt", **size_of(served, SIDE),
        "training": {}, "evaluation": [], "limits": "For benchmarks.",
    }  # fmt: skip
    write_card(folder, card, [label for _, label in classes])


if __name__ == "__main__":
    main()
