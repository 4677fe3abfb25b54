"""Everything a training run depends on; stored with the run as config.json."""

import json
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from thumbnet.lite import LITE0


@dataclass(frozen=True)
class Schedule:
    """One phase's length and pace: AdamW, linear warm-up over the first 5 %, then cosine to zero."""

    steps: int
    """Optimiser steps; 0 skips the phase."""
    batch: int
    """Photos a step, over all processes."""
    lr: float
    """Highest learning rate."""


@dataclass(frozen=True)
class Weights:
    """Loss weights. The paper gives none; these are ours."""

    cl: float = 0.0
    """Cross-entropy with the labels."""
    kd: float = 1.0
    """Distillation over the data set's own classes, labelled photos."""
    kd_all: float = 0.25
    """Distillation over all of the teacher's classes, all photos."""
    fm: float = 0.0
    """Feature mapping: S's maps, decoded, to T's maps (needs T's maps on disk: 125 KB a view)."""
    pooled: float = 1.0
    """Feature mapping without a decoder: S's pooled features to T's."""
    stages: float = 0.0
    """Feature mapping before the frozen teacher (phase 2): its maps of every resolution, restored photo to photo."""
    mm: float = 1.0
    """Moment matching, where E is trained."""
    temperature: float = 2.0
    heads: float = 0.2
    """Of what the students in phase 2 say to E, beside the restorer (`Config.heads`)."""
    rate: float = 0.0
    """Estimated bits a pixel of the thumbnails, where E is trained behind the restorer or with S."""


@dataclass(frozen=True)
class Codec:
    """A lossy format that thumbnails pass during phases 2 to 4."""

    format: str | None = None
    """`webp`, `jpeg` or `avif`; none: thumbnails are only rounded to 8 bits."""
    lowest: int = 30
    """Lowest quality."""
    highest: int = 90
    """Highest quality."""
    share: float = 0.7
    """Share of the thumbnails that pass it; the others stay lossless."""
    restored: bool = True
    """Whether the restorer's thumbnails pass it as well, where phase 2 also trains students."""


@dataclass(frozen=True)
class Config:
    """Train a downscaler and a student for your teacher and your photos."""

    data: Path
    """Folder with train/<class>/ and val/<class>/ photos."""
    out: Path
    """The run's folder; an interrupted run started again with the same options goes on exactly where it was.
    Several machines must share it."""
    size: int = 56
    """Thumbnail side: 56 (16x fewer pixels) or 112 (4x)."""
    teacher: str = LITE0
    """timm name of the teacher."""
    teacher_weights: Path | None = None
    """Checkpoint of the teacher (default: its pretrained weights)."""
    teacher_classes: int = 1000
    """Outputs of that checkpoint."""
    class_map: str | None = None
    """JSON file of {folder: [teacher output, label]}, or `imagenette`; default: the sorted folders are the outputs."""
    labelled_every: int = 1
    """Train on every n-th labelled photo alone: for learning curves. It is measured on all of val."""
    unlabelled: Path | None = None
    """Folder or .npy stack (uint8 [N,224,224,3]) of further photos, used without labels."""
    unlabelled_every: int = 1
    """Take every n-th of them."""
    unlabelled_share: float = 0.25
    """Their share of each batch."""
    balance: float = 0.0
    """How much more often those of classes that are rare among them are shown, as the teacher sees them (see
    thumbnet.balance): 0 each photo alike, 1 each class alike."""
    cache: Path = Path("runs/cache")
    """Where decoded photos and the teacher's answers are kept, for all runs."""

    views: int = 4
    """Views of each labelled photo."""
    unlabelled_views: int = 1
    """Views of each unlabelled photo; the first is the whole photo."""
    min_area: float = 0.35
    """Smallest crop, as a share of the photo."""

    downscaler: Path | None = None
    """E (and decoder) to start from: models.pt of an earlier run, or a model repository's downscaler-<size> folder."""
    freeze_downscaler: bool = False
    """Phases 1 and 2 train the decoder alone: E is served already, and others read its thumbnails."""
    width: int = 24
    """E's channels; 0 is plain bicubic, the baseline."""
    pairs: int = 1
    """E's residual pairs."""
    decoder_width: int = 48
    """Channels of the decoder that the first two phases train with E."""
    decoder_pairs: int = 2
    """The decoder's residual pairs; those beyond a decoder to start from begin as if they were not there."""
    decoder_context: int = 0
    """Channels with which the decoder also looks at the whole picture; 0: not."""
    downscaler_lr: float = 0.0
    """E's learning rate in the student phase, relative to S's; 0 freezes it (and its thumbnails are computed once)."""
    arch: str | None = None
    """timm name of the student (default: the teacher's architecture and weights)."""
    student: Path | None = None
    """Student to start from: models.pt of an earlier run, or a student's folder in a model repository."""
    folded: bool = False
    """Fold the student's batch normalisations, with the teacher's statistics, into its convolutions before training."""
    heads: tuple[Path, ...] = ()
    """Students that phase 2 trains along, so that one E suits all its readers: of runs or of a model repository."""
    heads_lr: float = 0.25
    """Their learning rate in phase 2, relative to E's."""
    weight_average: float = 1.0
    """Of a folded student: how far to go from where it started to where training ended, in a straight line (WiSE-FT,
    Wortsman et al. 2022). Less than 1 keeps more of what the teacher knows and the photos do not show."""
    ending_of: Path | None = None
    """Finished run of the same options to end otherwise (`weight_average`, `prior`), without training anew."""
    prior: float = 0.0
    """How much of the classes' frequency in the training photos the student forgets in the end (see thumbnet.prior): 1
    for a pool of photos, which shows some of the teacher's classes far more often than others."""
    cutmix: float = 0.0
    """Share of the student's pictures that get a rectangle of another pasted in, the teacher's answers mixed alike."""
    flip: bool = False
    """Flip half of the student's pictures, whatever view they are."""
    early_strides: int = 0
    """How many of the student's first stride-2 convolutions step by 1."""
    stem_width: int = 0
    """Channels of a stem of the student's own, in place of the teacher's layers above the thumbnail's size (see
    thumbnet.stem); 0: none. As wide as the decoder, it starts from the decoder's layers."""
    stem_pairs: int = 1
    """The stem's residual pairs."""
    stem_alone: bool = False
    """Phase 4 trains the stem alone: the teacher's own layers behind it stay as they are, and keep what they know."""

    reconstruct: Schedule = field(default_factory=lambda: Schedule(400, 32, 2e-3))
    """Phase 1, unsupervised: E and a decoder rebuild the photo (MSE)."""
    restore: Schedule = field(default_factory=lambda: Schedule(400, 16, 1e-3))
    """Phase 2: E and the decoder before the frozen teacher (KD + MSE)."""
    mapping: Schedule = field(default_factory=lambda: Schedule(0, 64, 1e-3))
    """Phase 3, the paper's unsupervised pre-training of S: FM and pooled features alone."""
    learn: Schedule = field(default_factory=lambda: Schedule(2000, 64, 1e-3))
    """Phase 4: S on E's thumbnails with all of the losses."""
    weights: Weights = field(default_factory=Weights)
    codec: Codec = field(default_factory=Codec)
    seed: int = 0
    threads: int = 0
    """CPU threads of a process; 0 lets PyTorch choose."""
    bfloat16: bool = False
    """Train E's and the decoder's convolutions in bfloat16: faster on CPUs that have it (AVX512-BF16, AMX)."""

    def to_json(self) -> str:
        """Render as JSON."""
        return json.dumps(asdict(self), indent=1, default=str) + "\n"


def read_config(path: Path) -> Config:
    """Read a run's config.json."""
    return _build(Config, json.loads(path.read_text()))


def _build(kind: Any, values: dict[str, Any]) -> Any:
    built: dict[str, Any] = {}
    for f in (f for f in fields(kind) if f.name in values):  # options younger than the run have their defaults
        value, hint = values[f.name], str(f.type)
        if isinstance(f.type, type) and is_dataclass(f.type):
            value = _build(f.type, value)
        elif hint.startswith("tuple"):
            value = tuple(map(Path, value))
        elif "Path" in hint and value is not None:
            value = Path(value)
        built[f.name] = value
    return kind(**built)
