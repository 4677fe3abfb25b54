"""The teacher's answers on every view, computed once (onnxruntime: twice PyTorch's speed on a CPU) and kept on disk."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from tqdm import tqdm

from thumbnet import fingerprint
from thumbnet.classifier import Classifier
from thumbnet.locking import locked
from thumbnet.onnx_files import to_onnx
from thumbnet.photos import SIDE
from thumbnet.pixels import to_unit
from thumbnet.views import Views

BATCH = 32


@dataclass(frozen=True)
class Answers:
    """Teacher outputs by round of views, float16 memory maps; `maps` is empty unless asked for."""

    logits: list[np.ndarray]  # each [N, classes]
    pooled: list[np.ndarray]  # each [N, features]
    maps: list[np.ndarray]  # each [N, channels, h, w]


def look_up(rounds: list[np.ndarray], indices: np.ndarray) -> Tensor:
    """Rows of per-round arrays by view index, float32."""
    count = len(rounds[0])
    return torch.from_numpy(np.stack([rounds[i // count][i % count] for i in indices.tolist()])).float()


class _Teaching(nn.Module):
    def __init__(self, teacher: Classifier, with_maps: bool) -> None:
        super().__init__()
        self.teacher, self.with_maps = teacher, with_maps

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        output = self.teacher(to_unit(image).contiguous())
        return (output.logits, output.pooled, output.maps) if self.with_maps else (output.logits, output.pooled)


def teacher_answers(teacher: Classifier, views: Views, cache: Path, with_maps: bool = False) -> Answers:
    """Run the teacher over all views, or take from `cache` what an earlier run has computed.

    An interrupted pass goes on where it stopped. About 4.6 KB a view for 1,000 classes and 1,280 features.
    """
    weights = fingerprint.of_weights(teacher)
    names = ["logits", "pooled"] + ["maps"] * with_maps
    rounds: dict[str, list[np.ndarray]] = {"logits": [], "pooled": [], "maps": []}
    run = None
    for round_ in range(views.rounds):
        folder = cache / f"answers-{weights}-{views.round_name(round_)}"
        done = folder / ("done-maps" if with_maps else "done")
        with locked(folder):
            if not done.is_file():
                folder.mkdir(parents=True, exist_ok=True)
                run = run or _session(teacher, names)
                _answer_round(run, views, round_, folder, names)
                done.touch()
        for name in names:
            rounds[name].append(np.load(folder / f"{name}.npy", mmap_mode="r"))
    return Answers(**rounds)


def _session(teacher: Classifier, names: list[str]) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    model = to_onnx(_Teaching(teacher, "maps" in names), SIDE, ("input", names))
    teacher.to(memory_format=torch.channels_last)
    return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])


def _answer_round(run: onnxruntime.InferenceSession, views: Views, round_: int, folder: Path, names: list[str]) -> None:
    count = len(views.photos)
    progress = folder / ("progress-maps" if "maps" in names else "progress")
    start = int(progress.read_text()) if progress.is_file() else 0
    files: dict[str, np.memmap] = {}
    blocks = [np.arange(i, min(i + BATCH, count)) for i in range(start, count, BATCH)]
    with (
        ThreadPoolExecutor(1) as ahead,
        tqdm(total=count, initial=start, unit="view", desc=f"teacher {round_}") as bar,
    ):
        upcoming = [ahead.submit(views.batch, block + round_ * count) for block in blocks[:2]]
        for number, block in enumerate(blocks):
            pixels = upcoming.pop(0).result()
            if number + 2 < len(blocks):
                upcoming.append(ahead.submit(views.batch, blocks[number + 2] + round_ * count))
            for name, output in zip(names, run.run(names, {"input": pixels}), strict=True):
                value = np.asarray(output)
                if name not in files:
                    files[name] = _open(folder / f"{name}.npy", (count, *value.shape[1:]))
                files[name][block] = value
            bar.update(len(block))
            if number % 50 == 49:
                for array in files.values():
                    array.flush()
                progress.write_text(str(int(block[-1]) + 1))
    for array in files.values():
        array.flush()
    progress.unlink(missing_ok=True)


def _open(path: Path, shape: tuple[int, ...]) -> np.memmap:
    if path.is_file():
        return np.load(path, mmap_mode="r+")
    partial = path.with_suffix(f".{os.getpid()}")
    np.lib.format.open_memmap(partial, "w+", np.float16, shape)
    partial.rename(path)
    return np.load(path, mmap_mode="r+")
