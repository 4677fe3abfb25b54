"""Where students' weights come from that only photos and thumbnails can tell."""

import numpy as np
import torch
from torch import Tensor

from thumbnet.classifier import Classifier
from thumbnet.config import Config
from thumbnet.downscaler import Downscaler
from thumbnet.networks import Networks
from thumbnet.photos import Photos
from thumbnet.pixels import quantise, to_unit
from thumbnet.served_student import load_served_student
from thumbnet.stem import start_stem


def some_pictures(downscaler: Downscaler, photos: Photos, count: int = 256) -> tuple[Tensor, Tensor]:
    """Evenly spaced photos, float [N,3,224,224] in 0..1, and their thumbnails, [N,3,s,s]."""
    downscaler.eval()
    images = to_unit(torch.from_numpy(np.array(photos.pixels[:: max(1, len(photos) // count)])))
    with torch.no_grad():
        return images, quantise(downscaler(images))


def begin(student: Classifier, config: Config, networks: Networks, teacher: Classifier, photos: Photos) -> None:
    """Bring an untrained student to where training starts: what it has of the teacher is there, its own stem is not."""
    if config.stem_width:
        start_stem(student, teacher, networks.decoder, *some_pictures(networks.downscaler, photos))


def read_served(config: Config, networks: Networks, photos: Photos, outputs: list[int]) -> None:
    """Read the weights of students that are served: their files say them only together with thumbnails to try."""
    served = {f: networks.heads[f.name] for f in config.heads if not (f / "models.pt").is_file()}
    if config.student and config.student.is_dir():
        served[config.student] = networks.student
    if served:
        _, thumbnails = some_pictures(networks.downscaler, photos)
        for folder, student in served.items():
            load_served_student(folder, student, outputs, thumbnails)
