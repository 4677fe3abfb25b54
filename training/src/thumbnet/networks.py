"""The networks of a run: made, and read from earlier runs or from what is served."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from thumbnet.classifier import Classifier, load_teacher, make_student, strided
from thumbnet.config import Config, read_config
from thumbnet.decoder import Decoder
from thumbnet.downscaler import Downscaler
from thumbnet.folding import fold_normalisation
from thumbnet.losses import MapDecoder
from thumbnet.onnx_files import count_strided, read_weights, side_read_by
from thumbnet.photos import SIDE
from thumbnet.refusals import require_same_student
from thumbnet.served_student import PREFIX
from thumbnet.stem import give_stem, stem_of, stem_shape
from thumbnet.stored_weights import load_decoder, load_networks


@dataclass
class Networks:
    """Everything a run trains."""

    downscaler: Downscaler
    decoder: Decoder
    student: Classifier
    mapper: MapDecoder | None = None  # FM's decoder
    projector: nn.Linear | None = None  # where S's pooled features have another width than T's
    heads: dict[str, Classifier] = field(default_factory=dict)  # further students, by the names that they are served by

    def modules(self) -> dict[str, nn.Module]:
        """Name each network."""
        parts = {"downscaler": self.downscaler, "decoder": self.decoder, "student": self.student}
        extra = {"mapper": self.mapper, "projector": self.projector}
        heads = {f"heads.{name}": head for name, head in self.heads.items()}
        return parts | {name: module for name, module in extra.items() if module is not None} | heads

    def states(self) -> dict[str, dict[str, torch.Tensor]]:
        """Give each network's weights, as runs keep them."""
        return {name: module.state_dict() for name, module in self.modules().items()}

    def answering(self) -> None:
        """Let all of them answer as they are served, not as they are trained."""
        for module in self.modules().values():
            module.eval()


def build_networks(config: Config, teacher: Classifier) -> Networks:
    """Make a run's networks as they are before its first step."""
    torch.manual_seed(config.seed)
    factor = SIDE // config.size
    downscaler = Downscaler(
        config.size, width=config.width, pairs=config.pairs, bfloat16=config.bfloat16 and not config.freeze_downscaler
    )
    decoder = Decoder(
        factor, config.decoder_width, config.decoder_pairs, config.bfloat16, context=config.decoder_context
    )
    heads = {path.name: head_of(path, teacher, config) for path in config.heads}
    networks = Networks(downscaler, decoder, untrained_student(config, teacher), heads=heads)
    if config.downscaler and not config.ending_of:  # the ended run's checkpoint holds what it began with
        load_networks(config.downscaler, networks.modules(), ("downscaler",))
        load_decoder(config, config.downscaler, networks.modules())
    if config.student and not config.student.is_dir():  # a served one needs thumbnails: see _train
        require_same_student(config, config.student)
        load_networks(config.student, networks.modules(), ("student",))
    if config.weights.fm or config.weights.pooled:
        with torch.no_grad():
            small = networks.student.eval()(torch.zeros(1, 3, config.size, config.size))
            large = teacher(torch.zeros(1, 3, SIDE, SIDE))
        if config.weights.fm:
            networks.mapper = MapDecoder(small.maps.shape[1], tuple(large.maps.shape[1:]))
        if small.pooled.shape != large.pooled.shape:
            networks.projector = nn.Linear(small.pooled.shape[1], large.pooled.shape[1])
    for module in networks.modules().values():
        module.to(memory_format=torch.channels_last)
    return networks


def untrained_student(config: Config, teacher: Classifier) -> Classifier:
    """Make a run's student as it is before its first step, where it does not start from another one."""
    student = make_student(teacher, config.teacher, config.arch, config.early_strides)
    if config.stem_width:
        give_stem(student, SIDE, config.size, config.stem_width, config.stem_pairs, config.bfloat16)
    if not config.folded:
        return student
    folded = fold_normalisation(student).requires_grad_()
    if any(isinstance(module, nn.BatchNorm2d) for module in folded.modules()):
        raise ValueError(f"--folded knows no way to fold the batch normalisations of {config.arch or config.teacher}")
    if config.stem_alone:
        stem_of(folded.requires_grad_(False)).requires_grad_()
    return folded


def head_of(folder: Path, teacher: Classifier, config: Config) -> Classifier:
    """Make a run's student, its normalisations folded in, or one of a served student's shape, still untrained."""
    if (folder / "models.pt").is_file():
        stored = read_config(folder / "config.json")
        if stored.teacher != config.teacher:
            raise ValueError(f"{folder} has learnt from {stored.teacher}, not from {config.teacher}")
        _require_size(folder, stored.size, config)
        return fold_normalisation(load_run_networks(stored, folder, teacher).student).requires_grad_()
    file = folder / "1" / "model.onnx"
    _require_size(folder, side_read_by(file), config)
    stem = stem_shape(read_weights(file, PREFIX))
    early_strides = 0 if stem else len(strided(teacher.network)) - count_strided(file)
    student = make_student(teacher, config.teacher, early_strides=early_strides)
    if stem:
        give_stem(student, SIDE, config.size, *stem)
    return fold_normalisation(student).requires_grad_()


def _require_size(head: Path, size: int, config: Config) -> None:
    if size != config.size:
        raise ValueError(f"--heads {head} reads thumbnails of {size} pixels, and this run makes some of {config.size}")


def load_run(config: Config, run: Path) -> tuple[Classifier, Networks]:
    """Make the teacher of a finished run, and its networks as they were trained."""
    teacher = load_teacher(config.teacher, config.teacher_weights, config.teacher_classes)
    return teacher, load_run_networks(config, run, teacher)


def load_run_networks(config: Config, run: Path, teacher: Classifier) -> Networks:
    """Make the networks of a finished run whose teacher, or another one of its architecture, is there already."""
    networks = build_networks(replace(config, downscaler=None, student=None), teacher)
    load_networks(run / "models.pt", networks.modules(), tuple(networks.modules()))
    networks.answering()
    return networks


def average_weights(trained: nn.Module, start: nn.Module, share: float) -> None:
    """Move `trained` back towards `start`: `share` 1 leaves it, 0 is `start`."""
    own = start.state_dict()
    trained.load_state_dict(
        {
            name: own[name].lerp(value, share) if value.is_floating_point() else value  # counters stay
            for name, value in trained.state_dict().items()
        }
    )
