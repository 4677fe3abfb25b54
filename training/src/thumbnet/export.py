"""Export a run into the models folder: ONNX files, measured again through onnxruntime, and their cards."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import nn

from thumbnet.card import logits, pixels, read_cards, size_of, write_card, write_ensemble
from thumbnet.classifier import keep_classes, strided
from thumbnet.config import read_config
from thumbnet.described import Described, entry
from thumbnet.downscaler import ServedDownscaler
from thumbnet.export_options import Export
from thumbnet.export_refusals import require_parts
from thumbnet.golden import keep_pytorch
from thumbnet.networks import load_run
from thumbnet.onnx_files import RestoredTeacher, ServedRestorer, ServedStudent, halve, write_onnx
from thumbnet.photos import SIDE, read_folder, read_labels
from thumbnet.refusals import outputs_known, require_same_class_map
from thumbnet.run import classes_of
from thumbnet.stem import has_stem
from thumbnet.teacher import NAME as TEACHER


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
    if options.parts != ("fused",):
        exporter.describe_downscaler()


class _Exporter:
    """A finished run, loaded, and where its parts go."""

    def __init__(self, options: Export) -> None:
        self.options = options
        config = self.config = read_config(options.run / "config.json")
        self.teacher, self.networks = load_run(config, options.run)
        photos = read_folder(config.data / "val", config.cache)
        self.told, self.class_map = Described(options, config, photos), classes_of(config, photos)
        require_same_class_map(config, options.run, self.class_map)
        self.known = outputs_known(config, self.class_map, self.teacher)
        require_parts(options, config, self.teacher.network.get_classifier().out_features, self.known)
        self.downscaler = f"downscaler-{config.size}"
        self.student = f"student-{config.size}{options.suffix}"
        if options.head:
            self.networks.student = self.networks.heads[options.head]
        halving = len(strided(self.networks.student))
        is_low_stride = not config.arch and halving < len(strided(self.teacher.network))
        usual = "student-low-stride" if is_low_stride else "student"
        self.kind = options.kind or ("student-full" if has_stem(self.networks.student) else usual)

    def folder(self, name: str) -> Path:
        return self.options.models / name

    def _files(self, *names: str) -> list[Path]:
        return [self.folder(name) / "1" / "model.onnx" for name in names]

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
        own, served = _both(ServedDownscaler(self.networks.downscaler), file)
        if np.abs(served.astype(int) - own).max() > 1:
            raise ValueError(f"{file} is not the downscaler of {self.options.run}: export that one with it")

    def describe_downscaler(self) -> None:
        """Write E's card anew, with what its students and the restored teacher reach."""
        students = self._students()
        evaluation = [
            entry | {"how": f"{card['name']} on this thumbnail; {entry['how']}"}
            for card in students
            for entry in card["evaluation"]
        ]
        path = self.folder(self.downscaler) / "card.json"
        told: dict[str, Any] = {"training": self.told.training(), "limits": self.options.limits}
        if "downscaler" not in self.options.parts and path.is_file():
            before = json.loads(path.read_text())  # another run made it
            told = {key: before[key] for key in told}
        card = self.told.card(self.downscaler, "downscaler", told["training"], evaluation) | {
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
        training = self.told.training() | {"downscaler_sha256": self._downscaler_hash()}
        outputs = self.class_map.outputs if self.options.labels else list(range(len(labels)))
        evaluation = self.told.evaluation(self._files(self.downscaler, self.student), outputs, len(labels), "student")
        card = self.told.card(self.student, "student", training, evaluation) | {
            "input": pixels("thumbnail", size),
            "head": self.kind,
            **self._classes(labels),
            **size_of(served, size),
        }
        write_card(file.parent.parent, card, labels)

    def write_restorer(self) -> None:
        halve(self.networks.decoder)
        name, size = f"restorer-{self.config.size}{self.options.suffix}", self.config.size
        served = ServedRestorer(self.networks.decoder)
        write_onnx(served, size, ("thumbnail", "image"), self.folder(name) / "1" / "model.onnx")
        training = self.told.training() | {"downscaler_sha256": self._downscaler_hash()}
        measured = self.told.result.get("restored", {}).get("all")
        evaluation = []
        if measured:
            how = f"PyTorch: {self.config.teacher}, not fine-tuned, on the restored photo, thumbnails lossless"
            evaluation.append(entry(self.options.evaluation_name, measured, self.told.baseline("restored", "all"), how))
        card = self.told.card(name, "restorer", training, evaluation) | {
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
        files = self._files(self.downscaler, *steps)
        evaluation = self.told.evaluation(
            files, self.class_map.outputs if self.known else None, len(labels), "restored"
        )
        card = self.told.card(name, "student", training, evaluation) | {
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
        training = self.told.training() | {"downscaler_sha256": self._downscaler_hash()}
        card = self.told.card(name, "student", training, []) | {
            "input": pixels("thumbnail", size),
            "head": "restored",
            **self._classes(labels),
            **size_of(served, size),
        }
        write_card(self.folder(name), card, labels)

    @staticmethod
    def _classes(labels: list[str]) -> dict[str, Any]:
        return {"output": logits(len(labels)), "classes": len(labels), "labels": "labels.txt"}

    def _is_own_teacher(self, file: Path) -> bool:
        """Whether a served teacher answers as the run's does; architecture alone says nothing of weights."""
        if not file.is_file():
            return False
        own, served = _both(ServedStudent(self.teacher), file)
        return served.shape == own.shape and bool(np.abs(served - own).max() < 0.02 * np.abs(own).max())

    def _downscaler_hash(self) -> str:
        return sha256((self.folder(self.downscaler) / "1" / "model.onnx").read_bytes()).hexdigest()

    def _students(self) -> list[dict[str, Any]]:
        """Cards of the students that were trained on this very downscaler's thumbnails."""
        cards = read_cards(self.options.models)
        named = [card for card in cards if card["role"] == "student" and card["downscaler"] == self.downscaler]
        current = self._downscaler_hash()
        for card in named:
            if card["training"].get("downscaler_sha256") != current:
                print(f"{card['name']} was trained on another {self.downscaler}: left out of its card, export it again")
        own = [card for card in named if card["training"].get("downscaler_sha256") == current]
        return sorted(own, key=lambda card: card["flops"])


def _both(own: nn.Module, file: Path) -> tuple[np.ndarray, np.ndarray]:
    """What a network and a served file answer to one whole image of noise, uint8 [1,224,224,3]."""
    image = torch.randint(0, 256, (1, SIDE, SIDE, 3), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    with torch.no_grad():
        answer = own(image).numpy()
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return answer, np.asarray(session.run(None, {session.get_inputs()[0].name: image.numpy()})[0])
