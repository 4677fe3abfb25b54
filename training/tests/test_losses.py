import pytest
import torch

from thumbnet.losses import MapDecoder, classification, distillation, moments, relative_error


def test_classification_leaves_unknown_labels_out() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 5.0], [1.0, 1.0]])
    alone = classification(logits[:1], torch.tensor([0]))
    assert torch.isclose(classification(logits, torch.tensor([0, -1, -1])), alone)
    assert classification(logits, torch.tensor([-1, -1, -1])) == 0


def test_distillation_is_zero_for_equal_answers_and_positive_else() -> None:
    logits = torch.randn(4, 7)
    assert distillation(logits, logits + 3, 2.0).abs() < 1e-5
    assert distillation(logits, torch.randn(4, 7), 2.0) > 0


def test_distillation_gradients_keep_their_size_at_high_temperature() -> None:
    torch.manual_seed(0)
    teacher, sizes = torch.randn(8, 5), []
    for temperature in (4.0, 16.0):
        student = torch.zeros(8, 5, requires_grad=True)
        distillation(student, teacher, temperature).backward()
        assert student.grad is not None
        sizes.append(student.grad.norm())
    assert sizes[1] / sizes[0] == pytest.approx(1, abs=0.2)


def test_moments_see_brightness_and_contrast_but_not_arrangement() -> None:
    image = torch.rand(2, 3, 8, 8)
    shuffled = image.flatten(2)[:, :, torch.randperm(64)].reshape(image.shape)
    assert moments(shuffled, image) < 1e-9
    assert moments(image * 0.5, image) > 1e-3
    assert moments(image + 0.1, image) == pytest.approx(0.01, rel=1e-3)


def test_relative_error_is_one_for_a_silent_guess() -> None:
    target = torch.randn(4, 9) * 7
    assert relative_error(torch.zeros_like(target), target) == pytest.approx(1)


def test_map_decoder_gives_the_teachers_shape() -> None:
    assert MapDecoder(6, (10, 7, 7))(torch.randn(2, 6, 2, 2)).shape == (2, 10, 7, 7)
