"""A finished run, loaded, and the model repository that its parts go to."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import nn

from thumbnet.card import logits
from thumbnet.checkpoint import require_same_class_map
from thumbnet.class_map import ClassMap, classes_of
from thumbnet.classifier import Classifier
from thumbnet.config import Config, read_config
from thumbnet.described import Described
from thumbnet.downscaler import ServedDownscaler
from thumbnet.export_options import Export
from thumbnet.networks import Networks, load_run
from thumbnet.onnx_files import halve
from thumbnet.photos import SIDE, read_folder
from thumbnet.refusals import outputs_known


@dataclass(frozen=True)
class Exporting:
    """What the writers of all parts share."""

    options: Export
    config: Config
    teacher: Classifier
    networks: Networks
    class_map: ClassMap
    told: Described

    @property
    def known(self) -> bool:
        """Whether it is known which of the teacher's outputs the class folders stand for."""
        return outputs_known(self.config, self.class_map, self.teacher)

    @property
    def downscaler(self) -> str:
        """E's name in the repository."""
        return f"downscaler-{self.config.size}"

    def folder(self, name: str) -> Path:
        """Where a model goes."""
        return self.options.models / name

    def file(self, name: str) -> Path:
        """Where its ONNX file goes."""
        return self.folder(name) / "1" / "model.onnx"

    def downscaler_hash(self) -> str:
        """Tell the served E from others."""
        return sha256(self.file(self.downscaler).read_bytes()).hexdigest()

    def training(self) -> dict[str, Any]:
        """Say how the run was made, and for which E."""
        return self.told.training() | {"downscaler_sha256": self.downscaler_hash()}

    def require_own_downscaler(self) -> None:
        """Refuse to put a student or restorer beside another E than the one whose thumbnails it was trained on."""
        file = self.file(self.downscaler)
        if not file.is_file():
            raise ValueError(f"{file} is not there: export the downscaler first")
        halve(self.networks.downscaler)
        own, served = both_answers(ServedDownscaler(self.networks.downscaler), file)
        if np.abs(served.astype(int) - own).max() > 1:
            raise ValueError(f"{file} is not the downscaler of {self.options.run}: export that one with it")


def load_exporting(options: Export) -> Exporting:
    """Load the run of an export. ValueError if its class map is no longer the one it was trained with."""
    config = read_config(options.run / "config.json")
    teacher, networks = load_run(config, options.run)
    photos = read_folder(config.data / "val", config.cache)
    class_map = classes_of(config, photos)
    require_same_class_map(config, options.run, class_map)
    return Exporting(options, config, teacher, networks, class_map, Described(options, config, photos))


def said_of(labels: list[str]) -> dict[str, Any]:
    """What a classifier's card says of its classes."""
    return {"output": logits(len(labels)), "classes": len(labels), "labels": "labels.txt"}


def both_answers(own: nn.Module, file: Path) -> tuple[np.ndarray, np.ndarray]:
    """What a network and a served file answer to one whole image of noise, uint8 [1,224,224,3]."""
    image = torch.randint(0, 256, (1, SIDE, SIDE, 3), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    with torch.no_grad():
        answer = own(image).numpy()
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return answer, np.asarray(session.run(None, {session.get_inputs()[0].name: image.numpy()})[0])
