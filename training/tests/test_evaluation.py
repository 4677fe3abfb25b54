import numpy as np
import pytest
import torch

from thumbnet.evaluation import ranks
from thumbnet.photos import Photos

NAN = float("nan")


@pytest.mark.parametrize(
    ("logits", "rank"),
    [
        ([1.0, 3.0, 2.0], 0),
        ([3.0, 2.0, 1.0], 1),
        ([3.0, 1.0, 2.0], 2),
        ([0.0, 0.0, 0.0], 2),
        ([NAN, NAN, NAN], 2),
        ([1.0, NAN, 2.0], 2),
    ],
)
def test_the_rank_counts_all_that_do_not_score_below_the_right_class(logits: list[float], rank: int) -> None:
    photos = Photos(np.zeros((1, 224, 224, 3), np.uint8), np.array([1]), ["photo"], [], "")
    assert ranks(lambda _: torch.tensor([logits]), photos, [0, 1, 2], "").tolist() == [rank]
