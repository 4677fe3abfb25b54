"""Export a run into the models folder: ONNX files, measured again through onnxruntime, and their cards."""

import importlib.metadata
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor
from tqdm import tqdm

from thumbnet.card import logits, pixels, size_of, write_card
from thumbnet.classifier import keep_classes, load_teacher
from thumbnet.config import Config, read_config
from thumbnet.downscaler import ServedDownscaler
from thumbnet.evaluation import ranks, summarise
from thumbnet.golden import keep_pytorch
from thumbnet.onnx_files import ServedRestorer, ServedStudent, halve, write_onnx
from thumbnet.photos import SIDE, Photos, read_folder
from thumbnet.run import PHASES, build_networks, classes_of, load_networks

PACKAGES = ("torch", "timm", "onnx", "onnxruntime", "numpy", "pillow")


@dataclass(frozen=True)
class Export:
    """Write a run's networks into a model repository as Triton and the Worker read it."""

    run: Path
    """Folder of a finished run."""
    models: Path = Path("../models")
    """The model repository."""
    parts: tuple[str, ...] = ("downscaler", "student")
    """Which networks: downscaler, student, restorer."""
    golden: Path | None = None
    """Folder of golden vectors (see thumbnet.golden) that keeps PyTorch's own thumbnail of the golden photo."""
    suffix: str = ""
    """Put after the names, as in student-56-low-stride."""
    baseline: Path | None = None
    """Finished run with bicubic thumbnails and otherwise the same options, for the card's comparison."""
    data_name: str = "the photos of --data"
    """What the card calls the training data."""
    evaluation_name: str = "the val photos of --data"
    """What the card calls the photos it was measured on."""
    limits: str = ""
    """One or two plain sentences on what the model cannot do."""


def export(options: Export) -> None:
    """Write the chosen parts; the downscaler's card lists the students that stand beside it already."""
    config = read_config(options.run / "config.json")
    result = json.loads((options.run / "result.json").read_text())
    teacher = load_teacher(config.teacher, config.teacher_weights, config.teacher_classes)
    networks = build_networks(config, teacher)
    load_networks(options.run / "models.pt", networks, tuple(networks.modules()))
    photos = read_folder(config.data / "val", config.cache)
    class_map = classes_of(config, photos)
    size = config.size
    downscaler, student = f"downscaler-{size}", f"student-{size}{options.suffix}"
    common = {"schema": 1, "version": "1"}
    training = _training(options, config, result)

    if "downscaler" in options.parts:
        halve(networks.downscaler)
        served = ServedDownscaler(networks.downscaler)
        if options.golden:
            keep_pytorch(served, downscaler, options.golden)
        path = options.models / downscaler / "1" / "model.onnx"
        write_onnx(served, SIDE, ("image", "thumbnail"), path)
    if "student" in options.parts:
        keep_classes(networks.student, class_map.outputs)
        path = options.models / student / "1" / "model.onnx"
        write_onnx(ServedStudent(networks.student), size, ("thumbnail", "logits"), path, round_weights=True)
        evaluation = _evaluation(options, photos, downscaler, student)
        card = common | {
            "name": student, "role": "student",
            "input": pixels("thumbnail", size), "output": logits(len(class_map.labels)),
            "preprocessing": None, "downscaler": downscaler, "students": [],
            "classes": len(class_map.labels), "labels": "labels.txt",
            **size_of(ServedStudent(networks.student), size),
            "training": training, "evaluation": evaluation, "limits": options.limits,
        }  # fmt: skip
        write_card(path.parent.parent, card, class_map.labels)
    if "downscaler" in options.parts:
        students = sorted(
            p.parent.name
            for p in options.models.glob("*/card.json")
            if json.loads(p.read_text())["downscaler"] == downscaler
        )
        evaluation = [
            entry | {"how": f"{name} on this thumbnail; {entry['how']}"}
            for name in students
            for entry in json.loads((options.models / name / "card.json").read_text())["evaluation"]
        ]
        card = common | {
            "name": downscaler, "role": "downscaler",
            "input": pixels("image", SIDE), "output": pixels("thumbnail", size),
            "preprocessing": {"size": SIDE, "filter": "bicubic", "fit": "fill"}, "downscaler": None,
            "students": students, "classes": None, "labels": None,
            **size_of(ServedDownscaler(networks.downscaler), SIDE),
            "training": training, "evaluation": evaluation, "limits": options.limits,
        }  # fmt: skip
        write_card(options.models / downscaler, card, None)
    if "restorer" in options.parts:
        halve(networks.decoder)
        name = f"restorer-{size}{options.suffix}"
        path = options.models / name / "1" / "model.onnx"
        write_onnx(ServedRestorer(networks.decoder), size, ("thumbnail", "image"), path)
        card = common | {
            "name": name, "role": "restorer",
            "input": pixels("thumbnail", size), "output": pixels("image", SIDE),
            "preprocessing": None, "downscaler": downscaler, "students": [], "classes": None, "labels": None,
            **size_of(ServedRestorer(networks.decoder), size),
            "training": training, "evaluation": [], "limits": options.limits,
        }  # fmt: skip
        write_card(options.models / name, card, None)


def _evaluation(options: Export, photos: Photos, downscaler: str, student: str) -> list[dict[str, Any]]:
    """Measure the very files through onnxruntime, thumbnails lossless; bicubic and teacher as runs measured them."""
    shrink, classify = (
        onnxruntime.InferenceSession(options.models / name / "1" / "model.onnx", providers=["CPUExecutionProvider"])
        for name in (downscaler, student)
    )
    guesses = []
    for start in tqdm(range(0, len(photos), 64), desc="measure"):
        image = np.ascontiguousarray(photos.pixels[start : start + 64])
        thumbnail = shrink.run(["thumbnail"], {"image": image})[0]
        guesses.append(torch.from_numpy(classify.run(["logits"], {"thumbnail": thumbnail})[0]))
    stacked = iter(guesses)

    def answer(image: Tensor) -> Tensor:
        return next(stacked)

    measured = summarise(ranks(answer, photos, list(range(len(photos.classes))), "rank"), photos)
    own = json.loads((options.run / "result.json").read_text())
    other = json.loads((options.baseline / "result.json").read_text()) if options.baseline else {}
    names = {
        "all": options.evaluation_name,
        "imagenet_train": f"{options.evaluation_name}, files of ImageNet's training set",
        "imagenet_val": f"{options.evaluation_name}, files of ImageNet's validation set",
    }
    entries = []
    for group, counts in measured.items():
        baseline = {"teacher on the photo": own["teacher"][group]["top1"]}
        baseline["teacher on the bicubic thumbnail"] = own["direct"][group]["top1"]
        if other:
            baseline["bicubic thumbnails, same training"] = other["student"][group]["top1"]
        entries.append(
            {
                "dataset": names[group],
                "images": counts["images"],
                "metric": "top-1",
                "value": counts["top1"],
                "baseline": baseline,
                "how": "these ONNX files in onnxruntime, thumbnails lossless, classes of the data set only",
            }
        )
    return entries


def _training(options: Export, config: Config, result: dict[str, Any]) -> dict[str, Any]:
    steps = {name: getattr(config, name) for name in PHASES}
    return {
        "command": result["command"],
        "recipe": "; ".join(f"{n}: {s.steps} steps of {s.batch} at {s.lr}" for n, s in steps.items() if s.steps),
        "losses": {k: v for k, v in vars(config.weights).items() if v},
        "teacher": config.teacher, "data": [options.data_name], "steps": sum(s.steps for s in steps.values()),
        "seed": config.seed, "seconds": result["seconds"],
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }  # fmt: skip
