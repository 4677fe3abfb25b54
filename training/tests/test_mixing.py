import numpy as np
import pytest
import torch

from thumbnet.batch import Batch
from thumbnet.losses import classification, distillation
from thumbnet.mixing import mix
from thumbnet.taught import soft_targets

COUNT, SIDE = 40, 8


def numbered() -> np.ndarray:
    """Pictures of one value each: the pixels say which picture they came from."""
    return np.broadcast_to(np.arange(COUNT, dtype=np.uint8)[:, None, None, None], (COUNT, SIDE, SIDE, 3))


def test_a_share_is_how_much_of_a_picture_is_its_own_and_the_rest_is_its_partners() -> None:
    labelled = np.arange(COUNT) < 25
    mixed = mix(numbered(), labelled, 0.5, False, np.random.default_rng(0))
    for row in range(COUNT):
        own = mixed.pixels[row, :, :, 0] == row
        assert np.all(mixed.pixels[row, :, :, 0][~own] == mixed.partners[row])
        if mixed.partners[row] != row:
            assert own.mean() == pytest.approx(mixed.share[row])
    assert np.array_equal(labelled, labelled[mixed.partners])
    assert 8 < (mixed.share < 1).sum() < 32


def test_a_flip_turns_a_picture_around_and_leaves_its_answer() -> None:
    line = np.broadcast_to(np.arange(SIDE, dtype=np.uint8)[None, None, :, None], (COUNT, SIDE, SIDE, 3))
    mixed = mix(line, np.ones(COUNT, dtype=bool), 0.0, True, np.random.default_rng(0))
    turned = mixed.pixels[:, 0, 0, 0] == SIDE - 1
    assert np.array_equal(mixed.pixels[turned], line[turned][:, :, ::-1])
    assert np.array_equal(mixed.pixels[~turned], line[~turned])
    assert 8 < turned.sum() < 32
    assert np.all(mixed.share == 1)


def test_a_picture_of_two_halves_is_learnt_as_half_of_each_label() -> None:
    logits, share = torch.randn(2, 3), torch.full((2,), 0.5)
    labels, partners = torch.tensor([0, 1]), torch.tensor([1, 0])
    both = classification(logits, labels, share) + classification(logits, partners, 1 - share)
    assert both.item() == pytest.approx((classification(logits, labels) + classification(logits, partners)).item() / 2)


def test_soft_targets_of_a_mixed_picture_are_those_of_its_parts() -> None:
    logits = torch.tensor([[4.0, 0.0, -2.0], [-1.0, 3.0, 0.0]])
    batch = Batch(None, None, torch.tensor([0, 1]), partners=torch.tensor([1, 0]), share=torch.tensor([0.75, 1.0]))
    expected = (logits / 2).softmax(dim=1)
    expected[0] = 0.75 * expected[0] + 0.25 * expected[1]
    assert torch.allclose((soft_targets(logits, batch, 2.0) / 2).softmax(dim=1), expected, atol=1e-6)
    assert distillation(2 * expected.log(), soft_targets(logits, batch, 2.0), 2.0).abs() < 1e-6
