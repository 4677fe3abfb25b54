"""What one step of any phase sees."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """What one step sees. `image` is None where E is frozen and the thumbnails were computed before."""

    image: Tensor | None  # uint8 [N,224,224,3]
    thumbnail: Tensor | None  # uint8 [N,s,s,3]
    labels: Tensor  # int64 [N], -1 unknown
    logits: Tensor | None = None  # float [N, teacher classes]
    pooled: Tensor | None = None  # float [N, teacher features]
    maps: Tensor | None = None  # float [N,C,H,W]
    partners: Tensor | None = None  # int64 [N]: rows that CutMix pasted from
    share: Tensor | None = None  # float [N]: how much of each picture is its own


def given(value: Tensor | None) -> Tensor:
    """Give what the phase asked for in its plan."""
    if value is None:
        raise ValueError("this phase needs something the batch does not hold")
    return value
