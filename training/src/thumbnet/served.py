"""Measure models as they are served: ONNX files one behind the other in onnxruntime."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from thumbnet.evaluation import ranks, summarise
from thumbnet.photos import Photos
from thumbnet.pixels import to_bytes


def answers(files: list[Path], photos: Photos, outputs: list[int]) -> np.ndarray:
    """Rank of each photo's right class among `outputs`, int64 [N], 0 the best: see `thumbnet.evaluation.ranks`."""
    chain = [onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]) for file in files]

    def answer(image: Tensor) -> Tensor:
        value = to_bytes(image).contiguous().numpy()
        for session in chain:
            value = np.asarray(session.run(None, {session.get_inputs()[0].name: value})[0])
        return torch.from_numpy(value)

    return ranks(answer, photos, outputs, files[-1].parent.parent.name)


def measure(files: list[Path], photos: Photos, outputs: list[int], dataset: str, how: str) -> dict[str, Any]:
    """Top-1 in percent over all photos, as an entry of a card's `evaluation`."""
    found = summarise(answers(files, photos, outputs), photos)["all"]
    return {"dataset": dataset, "images": found["images"], "metric": "top-1", "value": found["top1"], "how": how}
