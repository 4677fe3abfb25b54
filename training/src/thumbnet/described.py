"""What a card says of a run: how it was made, and what its files reach."""

import json
from pathlib import Path
from typing import Any

from thumbnet.card import PARTS, part_of
from thumbnet.config import Config
from thumbnet.evaluation import summarise
from thumbnet.export_options import Export
from thumbnet.phases import losses_of
from thumbnet.photos import Photos
from thumbnet.plan import PHASES
from thumbnet.served import answers, measure
from thumbnet.unseen import clean
from thumbnet.versions import versions


class Described:
    """A finished run and the photos that its files are measured on."""

    def __init__(self, options: Export, config: Config, photos: Photos) -> None:
        self.options, self.config, self.photos = options, config, photos
        self.result = json.loads((options.run / "result.json").read_text())

    def card(self, name: str, role: str, training: dict[str, Any], evaluation: list[dict[str, Any]]) -> dict[str, Any]:
        """Make a card of what every kind of model says; the kind's own fields are still empty."""
        return {
            "schema": 1,
            "name": name,
            "role": role,
            "version": "1",
            "input": None,
            "output": None,
            "preprocessing": None,
            "downscaler": f"downscaler-{self.config.size}",
            "students": [],
            "classes": None,
            "labels": None,
            "training": training,
            "evaluation": evaluation,
            "limits": self.options.limits,
        }

    def baseline(self, part: str, group: str) -> dict[str, float]:
        """Give top-1 in percent of what `student` or `restored` is to be compared with, on a group of the photos."""
        teacher = {"teacher on the photo": "teacher", "teacher on the bicubic thumbnail": "direct"}
        baseline = {label: self.result[name][group]["top1"] for label, name in teacher.items() if name in self.result}
        if self.options.baseline:
            other = json.loads((self.options.baseline / "result.json").read_text())
            head = self.options.head if part == "student" else None
            measured = other.get("heads", {}).get(head) if head else other.get(part)
            if measured:
                baseline["bicubic thumbnails, same training"] = measured[group]["top1"]
        return baseline

    def training(self) -> dict[str, Any]:
        """Say how the run was made."""
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
            "versions": result.get("versions", versions()),
        }

    def evaluation(self, files: list[Path], outputs: list[int] | None, classes: int, part: str) -> list[dict[str, Any]]:
        """Measure the very files through onnxruntime, one after the other; the rest is as the runs measured it.

        `outputs`: those that the class folders stand for; none where that is not known, and the folders tell nothing.
        `part`: of the result, what to compare with the same of `--baseline`.
        """
        measured = {} if outputs is None else summarise(answers(files, self.photos, outputs), self.photos)
        name = self.options.evaluation_name
        names = {"all": name} | {group: part_of(name, group) for group in PARTS}
        how = "these ONNX files in onnxruntime, thumbnails lossless"
        own = f"{how}, classes of the data set only"
        entries = [entry(names[group], found, self.baseline(part, group), own) for group, found in measured.items()]
        if self.options.clean:
            photos, _ = clean(self.options.clean, every=1)
            everything = list(range(classes))
            entries.append(measure(files, photos, everything, self.options.clean_name, f"{how}, all classes"))
        return entries


def entry(dataset: str, measured: dict[str, Any], baseline: dict[str, float], how: str) -> dict[str, Any]:
    """Put a measurement as cards have it."""
    value = {"metric": "top-1", "value": measured["top1"]}
    return {"dataset": dataset, "images": measured["images"], **value, "baseline": baseline, "how": how}
