"""What `thumbnet export` is told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Part = Literal["downscaler", "student", "restorer", "fused"]


@dataclass(frozen=True)
class Export:
    """Write a run's networks into a model repository as Triton and the Worker read it."""

    run: Path
    """Folder of a finished run."""
    models: Path = Path("../models")
    """The model repository."""
    parts: tuple[Part, ...] = ("downscaler", "student")
    """Which networks: downscaler, student, restorer (with the ensemble of restorer and teacher-224), and fused: the
    restorer and the run's whole teacher in one file of its own, for servers without ensembles."""
    golden: Path | None = None
    """Folder of golden vectors (see thumbnet.golden) that keeps PyTorch's own thumbnail of the golden photo."""
    suffix: str = ""
    """Put after the names, as in student-56-low-stride."""
    head: str | None = None
    """Of the students that phase 2 trained along (`--heads`), the one to export as the student."""
    kind: Literal["student", "student-low-stride", "student-thousand", "student-full"] | None = None
    """What callers choose it by (`head=`); default: by the resolution that its first layers keep."""
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
