"""D as it is served: alone, chained with the teacher beside it, or in one file with the run's teacher."""

import json
from pathlib import Path

import numpy as np

from thumbnet.card import pixels, size_of, write_card, write_ensemble
from thumbnet.class_map import read_labels
from thumbnet.described import entry
from thumbnet.exporting import Exporting, both_answers, said_of
from thumbnet.onnx_files import RestoredTeacher, ServedRestorer, ServedStudent, halve, write_onnx
from thumbnet.photos import SIDE
from thumbnet.teacher import NAME as TEACHER


def write_restorer(exporting: Exporting) -> None:
    """Write D, and the ensemble of D and the teacher, where that is the run's own."""
    halve(exporting.networks.decoder)
    size, told = exporting.config.size, exporting.told
    name, served = f"restorer-{size}{exporting.options.suffix}", ServedRestorer(exporting.networks.decoder)
    write_onnx(served, size, ("thumbnail", "image"), exporting.file(name))
    measured = told.result.get("restored", {}).get("all")
    evaluation = []
    if measured:
        how = f"PyTorch: {exporting.config.teacher}, not fine-tuned, on the restored photo, thumbnails lossless"
        named = exporting.options.evaluation_name
        evaluation.append(entry(named, measured, told.baseline("restored", "all"), how))
    card = told.card(name, "restorer", exporting.training(), evaluation) | {
        "input": pixels("thumbnail", size),
        "output": pixels("image", SIDE),
        **size_of(served, size),
    }
    write_card(exporting.folder(name), card, None)
    _write_restored(exporting, name)


def _write_restored(exporting: Exporting, restorer: str) -> None:
    """Chain the restorer and the teacher beside it, which stays as it is, into a classifier of thumbnails."""
    size, steps = exporting.config.size, [restorer, TEACHER]
    name = f"restored-{size}{exporting.options.suffix}"
    if not _is_own_teacher(exporting, exporting.file(TEACHER)):
        print(f"{TEACHER} is not there, or not the teacher of {exporting.options.run}: {name} is left out")
        return
    labels = read_labels(exporting.folder(TEACHER) / "labels.txt")
    training = json.loads((exporting.folder(restorer) / "card.json").read_text())["training"]
    files = [exporting.file(file) for file in (exporting.downscaler, *steps)]
    outputs = exporting.class_map.outputs if exporting.known else None
    evaluation = exporting.told.evaluation(files, outputs, len(labels), "restored")
    card = exporting.told.card(name, "student", training, evaluation) | {
        "input": pixels("thumbnail", size),
        "head": "restored",
        "steps": steps,
        **said_of(labels),
    }
    write_ensemble(exporting.folder(name), card, labels)


def write_fused(exporting: Exporting) -> None:
    """Write D and the run's teacher as one file, for servers without ensembles."""
    options, size = exporting.options, exporting.config.size
    name = f"restored-{size}{options.suffix}-fused"
    served = RestoredTeacher(exporting.networks.decoder, exporting.teacher)
    write_onnx(served, size, ("thumbnail", "logits"), exporting.file(name), round_weights=True)
    outputs = exporting.teacher.network.get_classifier().out_features
    labels = read_labels(options.labels) if options.labels else [f"class {i}" for i in range(outputs)]
    card = exporting.told.card(name, "student", exporting.training(), []) | {
        "input": pixels("thumbnail", size),
        "head": "restored",
        **said_of(labels),
        **size_of(served, size),
    }
    write_card(exporting.folder(name), card, labels)


def _is_own_teacher(exporting: Exporting, file: Path) -> bool:
    """Whether a served teacher answers as the run's does; architecture alone says nothing of weights."""
    if not file.is_file():
        return False
    own, served = both_answers(ServedStudent(exporting.teacher), file)
    return served.shape == own.shape and bool(np.abs(served - own).max() < 0.02 * np.abs(own).max())
