"""Export a run into the models folder: ONNX files, measured again through onnxruntime, and their cards."""

import importlib.metadata
import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from thumbnet.card import PARTS, logits, part_of, pixels, size_of, write_card, write_ensemble
from thumbnet.classifier import keep_classes, strided
from thumbnet.config import read_config
from thumbnet.downscaler import ServedDownscaler
from thumbnet.evaluation import summarise
from thumbnet.golden import keep_pytorch
from thumbnet.networks import load_run
from thumbnet.onnx_files import RestoredTeacher, ServedRestorer, ServedStudent, halve, write_onnx
from thumbnet.phases import losses_of
from thumbnet.photos import SIDE, read_folder, read_labels
from thumbnet.pixels import to_unit
from thumbnet.run import PHASES, classes_of
from thumbnet.served import answers, measure
from thumbnet.teacher import NAME as TEACHER
from thumbnet.unseen import clean

PACKAGES = ("torch", "timm", "onnx", "onnxruntime", "numpy", "pillow")


@dataclass(frozen=True)
class Export:
    """Write a run's networks into a model repository as Triton and the Worker read it."""

    run: Path
    """Folder of a finished run."""
    models: Path = Path("../models")
    """The model repository."""
    parts: tuple[str, ...] = ("downscaler", "student")
    """Which networks: downscaler, student, restorer (with the ensemble of restorer and teacher-224), and fused: the
    restorer and the run's whole teacher in one file of its own, for servers without ensembles."""
    golden: Path | None = None
    """Folder of golden vectors (see thumbnet.golden) that keeps PyTorch's own thumbnail of the golden photo."""
    suffix: str = ""
    """Put after the names, as in student-56-low-stride."""
    head: str | None = None
    """Of the students that phase 2 trained along (`--heads`), the one to export as the student."""
    baseline: Path | None = None
    """Finished run with bicubic thumbnails and otherwise the same options, for the card's comparison."""
    data_name: str = "the photos of --data"
    """What the card calls the training data."""
    evaluation_name: str = "the val photos of --data"
    """What the card calls the photos it was measured on."""
    clean_name: str = "the photos of --clean"
    """What it calls those of --clean."""
    labels: str | None = None
    """Text file with a line for each output of the teacher, or `imagenet`: S keeps all of them. Default: the classes of
    --data alone."""
    clean: Path | None = None
    """Folder of photos with a labels.csv of file,class_index over all outputs, to measure such an S on, too."""
    limits: str = ""
    """One or two plain sentences on what the model cannot do."""


def export(options: Export) -> None:
    """Write the chosen parts; the downscaler's card lists the students in the repository that were made for it."""
    exporter = _Exporter(options)
    if "downscaler" in options.parts:
        exporter.write_downscaler()
    exporter.require_own_downscaler()
    if "student" in options.parts:
        exporter.write_student()
    if "restorer" in options.parts:
        exporter.write_restorer()
        exporter.write_restored()
    if "fused" in options.parts:
        exporter.write_fused()
    if "downscaler" in options.parts or "student" in options.parts:
        exporter.describe_downscaler()


class _Exporter:
    """A finished run, loaded, and where its parts go."""

    def __init__(self, options: Export) -> None:
        self.options = options
        config = self.config = read_config(options.run / "config.json")
        self.result = json.loads((options.run / "result.json").read_text())
        self.teacher, self.networks = load_run(config, options.run)
        self.photos = read_folder(config.data / "val", config.cache)
        self.class_map = classes_of(config, self.photos)
        self.downscaler = f"downscaler-{config.size}"
        self.student = f"student-{config.size}{options.suffix}"
        if options.head:
            self.networks.student = self.networks.heads[options.head]
        halving = len(strided(self.networks.student))
        self.is_low_stride = not config.arch and halving < len(strided(self.teacher.network))

    def folder(self, name: str) -> Path:
        return self.options.models / name

    def write_downscaler(self) -> None:
        halve(self.networks.downscaler)
        served = ServedDownscaler(self.networks.downscaler)
        if self.options.golden:
            keep_pytorch(served, self.downscaler, self.options.golden)
        write_onnx(served, SIDE, ("image", "thumbnail"), self.folder(self.downscaler) / "1" / "model.onnx")

    def require_own_downscaler(self) -> None:
        """Refuse to put a student or restorer beside another E than the one whose thumbnails it was trained on."""
        file = self.folder(self.downscaler) / "1" / "model.onnx"
        if not file.is_file():
            raise ValueError(f"{file} is not there: export the downscaler first")
        halve(self.networks.downscaler)
        image = torch.randint(0, 256, (1, SIDE, SIDE, 3), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
        with torch.no_grad():
            own = ServedDownscaler(self.networks.downscaler)(image).numpy().astype(int)
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        if np.abs(np.asarray(session.run(None, {"image": image.numpy()})[0]) - own).max() > 1:
            raise ValueError(f"{file} is not the downscaler of {self.options.run}: export that one with it")

    def describe_downscaler(self) -> None:
        """Write E's card anew, with what its students reach."""
        students = self._students()
        evaluation = [
            entry | {"how": f"{card['name']} on this thumbnail; {entry['how']}"}
            for card in students
            for entry in card["evaluation"]
        ]
        path = self.folder(self.downscaler) / "card.json"
        told: dict[str, Any] = {"training": self._training(), "limits": self.options.limits}
        if "downscaler" not in self.options.parts and path.is_file():
            before = json.loads(path.read_text())  # another run made it
            told = {key: before[key] for key in told}
        card = self._card(self.downscaler, "downscaler", told["training"], evaluation) | {
            **told,
            "input": pixels("image", SIDE),
            "output": pixels("thumbnail", self.config.size),
            "preprocessing": {"size": SIDE, "filter": "bicubic", "fit": "fill"},
            "downscaler": None,
            "students": [card["name"] for card in students],
            **size_of(ServedDownscaler(self.networks.downscaler), SIDE),
        }
        write_card(path.parent, card, None)

    def write_student(self) -> None:
        labels = self.class_map.labels
        if self.options.labels:
            labels = read_labels(self.options.labels)
        else:
            keep_classes(self.networks.student, self.class_map.outputs)
        served = ServedStudent(self.networks.student)
        size = self.config.size
        file = self.folder(self.student) / "1" / "model.onnx"
        write_onnx(served, size, ("thumbnail", "logits"), file, round_weights=True)
        training = self._training() | {"downscaler_sha256": self._downscaler_hash()}
        outputs = self.class_map.outputs if self.options.labels else list(range(len(labels)))
        evaluation = self._evaluate([self.downscaler, self.student], outputs, len(labels))
        card = self._card(self.student, "student", training, evaluation) | {
            "input": pixels("thumbnail", size),
            "head": "student-low-stride" if self.is_low_stride else "student",
            **self._classes(labels),
            **size_of(served, size),
        }
        write_card(file.parent.parent, card, labels)

    def write_restorer(self) -> None:
        halve(self.networks.decoder)
        name, size = f"restorer-{self.config.size}{self.options.suffix}", self.config.size
        served = ServedRestorer(self.networks.decoder)
        write_onnx(served, size, ("thumbnail", "image"), self.folder(name) / "1" / "model.onnx")
        training = self._training() | {"downscaler_sha256": self._downscaler_hash()}
        measured = self.result.get("restored", {}).get("all")
        evaluation = []
        if measured:
            how = f"PyTorch: {self.config.teacher}, not fine-tuned, on the restored photo, thumbnails lossless"
            evaluation.append(_entry(self.options.evaluation_name, measured, self._baseline("all"), how))
        card = self._card(name, "restorer", training, evaluation) | {
            "input": pixels("thumbnail", size),
            "output": pixels("image", SIDE),
            **size_of(served, size),
        }
        write_card(self.folder(name), card, None)

    def write_restored(self) -> None:
        """Chain the restorer and the teacher beside it, which stays as it is, into a classifier of thumbnails."""
        size, suffix = self.config.size, self.options.suffix
        name, steps = f"restored-{size}{suffix}", [f"restorer-{size}{suffix}", TEACHER]
        if not self._is_own_teacher(self.folder(TEACHER) / "1" / "model.onnx"):
            print(f"{TEACHER} is not there, or not the teacher of {self.options.run}: {name} is left out")
            return
        labels = read_labels(self.folder(TEACHER) / "labels.txt")
        training = json.loads((self.folder(steps[0]) / "card.json").read_text())["training"]
        own = [labels.index(label) for label in self.class_map.labels]
        card = self._card(name, "student", training, self._evaluate([self.downscaler, *steps], own, len(labels))) | {
            "input": pixels("thumbnail", size),
            "head": "restored",
            "steps": steps,
            **self._classes(labels),
        }
        write_ensemble(self.folder(name), card, labels)

    def write_fused(self) -> None:
        size = self.config.size
        name = f"restored-{size}{self.options.suffix}-fused"
        served = RestoredTeacher(self.networks.decoder, self.teacher)
        file = self.folder(name) / "1" / "model.onnx"
        write_onnx(served, size, ("thumbnail", "logits"), file, round_weights=True)
        outputs = self.teacher.network.get_classifier().out_features
        labels = read_labels(self.options.labels) if self.options.labels else [f"class {i}" for i in range(outputs)]
        card = self._card(name, "student", self._training(), []) | {
            "input": pixels("thumbnail", size),
            "head": "restored",
            **self._classes(labels),
            **size_of(served, size),
        }
        write_card(self.folder(name), card, labels)

    @staticmethod
    def _classes(labels: list[str]) -> dict[str, Any]:
        return {"output": logits(len(labels)), "classes": len(labels), "labels": "labels.txt"}

    def _card(self, name: str, role: str, training: dict[str, Any], evaluation: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "schema": 1,
            "name": name,
            "role": role,
            "version": "1",
            "input": None,
            "output": None,
            "preprocessing": None,
            "downscaler": self.downscaler,
            "students": [],
            "classes": None,
            "labels": None,
            "training": training,
            "evaluation": evaluation,
            "limits": self.options.limits,
        }

    def _is_own_teacher(self, file: Path) -> bool:
        """Whether a served teacher answers as the run's does; architecture alone says nothing of weights."""
        if not file.is_file():
            return False
        image = torch.randint(0, 256, (1, SIDE, SIDE, 3), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
        with torch.no_grad():
            own = self.teacher(to_unit(image)).logits.numpy()
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        served = np.asarray(session.run(None, {session.get_inputs()[0].name: image.numpy()})[0])
        return served.shape == own.shape and bool(np.abs(served - own).max() < 0.02 * np.abs(own).max())

    def _downscaler_hash(self) -> str:
        return sha256((self.folder(self.downscaler) / "1" / "model.onnx").read_bytes()).hexdigest()

    def _students(self) -> list[dict[str, Any]]:
        """Cards of the students that were trained on this very downscaler's thumbnails."""
        cards = [json.loads(path.read_text()) for path in sorted(self.options.models.glob("*/card.json"))]
        named = [card for card in cards if card["role"] == "student" and card["downscaler"] == self.downscaler]
        current = self._downscaler_hash()
        for card in named:
            if card["training"].get("downscaler_sha256") != current:
                print(f"{card['name']} was trained on another {self.downscaler}: left out of its card, export it again")
        own = [card for card in named if card["training"].get("downscaler_sha256") == current]
        return sorted(own, key=lambda card: card["flops"])

    def _baseline(self, group: str) -> dict[str, float]:
        baseline = {
            "teacher on the photo": self.result["teacher"][group]["top1"],
            "teacher on the bicubic thumbnail": self.result["direct"][group]["top1"],
        }
        if self.options.baseline:
            other = json.loads((self.options.baseline / "result.json").read_text())
            baseline["bicubic thumbnails, same training"] = other["student" if "student" in other else "restored"][
                group
            ]["top1"]
        return baseline

    def _training(self) -> dict[str, Any]:
        config, result = self.config, self.result
        steps = {name: getattr(config, name) for name in PHASES}
        return {
            "command": result["command"],
            "recipe": "; ".join(f"{n}: {s.steps} steps of {s.batch} at {s.lr}" for n, s in steps.items() if s.steps),
            "losses": losses_of(config),
            "teacher": config.teacher,
            "data": [self.options.data_name],
            "steps": sum(s.steps for s in steps.values()),
            "seed": config.seed,
            "seconds": result["seconds"],
            "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        }

    def _evaluate(self, models: list[str], outputs: list[int], classes: int) -> list[dict[str, Any]]:
        """Measure the very files through onnxruntime, one after the other; the rest is as the runs measured it."""
        files = [self.folder(name) / "1" / "model.onnx" for name in models]
        measured = summarise(answers(files, self.photos, outputs), self.photos)
        name = self.options.evaluation_name
        names = {"all": name} | {group: part_of(name, group) for group in PARTS}
        how = "these ONNX files in onnxruntime, thumbnails lossless"
        own = f"{how}, classes of the data set only"
        entries = [_entry(names[group], found, self._baseline(group), own) for group, found in measured.items()]
        if self.options.clean:
            photos, _ = clean(self.options.clean, every=1)
            everything = list(range(classes))
            entries.append(measure(files, photos, everything, self.options.clean_name, f"{how}, all classes"))
        return entries


def _entry(dataset: str, measured: dict[str, Any], baseline: dict[str, float], how: str) -> dict[str, Any]:
    value = {"metric": "top-1", "value": measured["top1"]}
    return {"dataset": dataset, "images": measured["images"], **value, "baseline": baseline, "how": how}
