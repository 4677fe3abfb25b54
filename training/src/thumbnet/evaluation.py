"""Accuracy of T, of T behind the restorer and of S, on the validation photos."""

import json
from collections.abc import Callable
from fnmatch import fnmatch
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from thumbnet import fingerprint
from thumbnet.atomic import write_atomically
from thumbnet.class_map import ClassMap
from thumbnet.classifier import Classifier
from thumbnet.config import Config
from thumbnet.downscaler import Downscaler
from thumbnet.locking import locked
from thumbnet.networks import Networks
from thumbnet.photos import NEVER_TRAINED_ON, Photos, read_folder
from thumbnet.pixels import quantise, to_unit
from thumbnet.refusals import outputs_known
from thumbnet.stored_weights import has_decoder

BATCH = 64


def ranks(classify: Callable[[Tensor], Tensor], photos: Photos, outputs: list[int], label: str) -> np.ndarray:
    """How many of the given outputs do not score below the right one, per photo: 0 is top-1 correct. int64 [N].

    A network that answers all alike, or with NaN, is right of nothing.

    `classify`: float [N,3,224,224] in 0..1 -> logits [N, all outputs].
    """
    found = []
    with torch.inference_mode():
        for start in tqdm(range(0, len(photos), BATCH), desc=label, mininterval=2):
            pixels = torch.from_numpy(np.array(photos.pixels[start : start + BATCH]))
            logits = classify(to_unit(pixels))[:, outputs]
            labels = torch.from_numpy(photos.labels[start : start + BATCH])
            right = logits.gather(1, labels[:, None])
            found.append((~(logits < right)).sum(dim=1).numpy() - 1)
    return np.concatenate(found)


def summarise(rank: np.ndarray, photos: Photos) -> dict[str, Any]:
    """Top-1 and top-5 in percent; for ImageNet's files also apart for those in its training and validation set."""
    unseen = np.array([fnmatch(name, NEVER_TRAINED_ON) for name in photos.names], dtype=bool)
    groups = {"all": np.ones(len(rank), dtype=bool)}
    if unseen.any():
        groups |= {"imagenet_train": ~unseen, "imagenet_val": unseen}
    return {
        name: {"images": int(g.sum()), "top1": _percent(rank[g] < 1), "top5": _percent(rank[g] < 5)}
        for name, g in groups.items()
    }


def evaluate(config: Config, networks: Networks, teacher: Classifier, class_map: ClassMap) -> dict[str, Any]:
    """Measure a run on `val`: the student, the teacher, and the teacher behind the restorer where one was trained."""
    photos = read_folder(config.data / "val", config.cache)
    networks.answering()
    shrink = networks.downscaler

    def reading(student: Classifier) -> Callable[[Tensor], Tensor]:
        return lambda image: student(quantise(shrink(image))).logits

    def restored(image: Tensor) -> Tensor:
        return teacher(networks.decoder(quantise(shrink(image)))).logits

    def direct(image: Tensor) -> Tensor:
        return teacher(quantise(bicubic(image))).logits

    def once(name: str, classify: Callable[[Tensor], Tensor]) -> dict[str, Any]:
        """Measure what is the same for every run of this teacher and data, kept in the cache."""
        of = [fingerprint.of_weights(teacher), outputs, photos.fingerprint, photos.labels.tolist(), photos.names]
        path = config.cache / f"{name}-{fingerprint.of_text(json.dumps(of))}.json"
        with locked(path):
            if not path.is_file():
                found = summarise(ranks(classify, photos, outputs, name), photos)
                write_atomically(path, json.dumps(found))
        return json.loads(path.read_text())

    bicubic = Downscaler(config.size, width=0)
    outputs = class_map.outputs
    result: dict[str, Any] = {}
    known = outputs_known(config, class_map, teacher)
    if known:
        result["teacher"] = once("teacher", lambda image: teacher(image).logits)
        result["direct"] = once(f"direct-{config.size}", direct)
    if config.learn.steps or config.mapping.steps:
        result["student"] = summarise(ranks(reading(networks.student), photos, outputs, "student"), photos)
    if networks.heads:
        result["heads"] = {
            name: summarise(ranks(reading(head), photos, outputs, name), photos)
            for name, head in networks.heads.items()
        }
    if known and (config.restore.steps or not config.learn.steps):
        result["restored"] = summarise(ranks(restored, photos, outputs, "restored"), photos)
    if has_decoder(config):
        result["psnr"] = psnr(networks, photos)
    return result


def psnr(networks: Networks, photos: Photos, count: int = 256) -> float:
    """Mean PSNR in dB of the restored photo over the first `count` evenly spaced photos."""
    chosen = photos.pixels[:: max(1, len(photos) // count)]
    values = []
    with torch.inference_mode():
        for start in range(0, len(chosen), BATCH):
            image = to_unit(torch.from_numpy(np.array(chosen[start : start + BATCH])))
            error = (networks.decoder(quantise(networks.downscaler(image))) - image).square().mean(dim=(1, 2, 3))
            values.append(-10 * error.clamp(min=1e-10).log10())
    return round(float(torch.cat(values).mean()), 2)


def _percent(hits: np.ndarray) -> float:
    return round(100 * float(hits.mean()), 2)
