from pathlib import Path

import pytest
import timm
import torch
from timm.layers import BatchNormAct2d
from torch import nn

from thumbnet.classifier import Classifier, load_teacher, make_student
from thumbnet.folding import fold_normalisation
from thumbnet.networks import average_weights


class Backwards(nn.Module):
    """Declares its layers in another order than it applies them in."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.normalisation = nn.Conv2d(3, 3, 3), BatchNormAct2d(3)
        self.head = nn.Linear(3, 2)

    def forward_features(self, image: torch.Tensor) -> torch.Tensor:
        return self.convolution(self.normalisation(image))

    def forward_head(self, maps: torch.Tensor, pre_logits: bool) -> torch.Tensor:
        return maps.mean(dim=(2, 3))

    def get_classifier(self) -> nn.Module:
        return self.head


def classifier(network: nn.Module) -> Classifier:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None and module.running_var is not None:
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.weight, 0.5, 2)
    return Classifier(network, [0.5] * 3, [0.5] * 3).eval()


@pytest.mark.parametrize("name", ["test_efficientnet", "tf_efficientnet_lite0", "resnet18"])
def test_folding_changes_nothing_but_the_number_of_layers(name: str) -> None:
    torch.manual_seed(0)
    original = classifier(timm.create_model(name, num_classes=7))
    images = torch.rand(2, 3, 224, 224)
    folded = fold_normalisation(original)
    with torch.no_grad():
        expected, found = original(images), folded(images)
    scale = expected.logits.abs().max()
    assert torch.allclose(found.logits / scale, expected.logits / scale, atol=1e-4)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())


def test_a_network_that_would_answer_otherwise_stays_as_it_is() -> None:
    torch.manual_seed(0)
    original = classifier(Backwards())
    assert fold_normalisation(original) is original


def test_averaging_leaves_counters_alone() -> None:
    start, trained = nn.BatchNorm2d(2), nn.BatchNorm2d(2)
    trained.weight.data.fill_(3)
    trained.train()(torch.rand(2, 2, 4, 4))
    average_weights(trained, start, 0.25)
    assert trained.weight.tolist() == [1.5, 1.5]
    assert trained.num_batches_tracked is not None and trained.num_batches_tracked.item() == 1


@pytest.mark.parametrize("name", ["test_vit", "swin_tiny_patch4_window7_224"])
def test_a_teacher_of_tokens_is_refused_as_its_student_could_read_no_smaller_image(name: str, tmp_path: Path) -> None:
    torch.save(timm.create_model(name, num_classes=2).state_dict(), tmp_path / "teacher.pt")
    with pytest.raises(ValueError, match=f"{name} is no convolutional network: .* not \\[N,C,H,W\\]"):
        load_teacher(name, tmp_path / "teacher.pt", 2)


@pytest.mark.parametrize("name", ["dla34", "resnetv2_50x1_bit"])
def test_a_network_that_ends_with_a_convolution_is_refused(name: str, tmp_path: Path) -> None:
    torch.save(timm.create_model(name, num_classes=2).state_dict(), tmp_path / "teacher.pt")
    with pytest.raises(ValueError, match=f"{name} ends with Conv2d: a linear classifier with a bias is expected"):
        load_teacher(name, tmp_path / "teacher.pt", 2)


def test_strides_that_a_shortcut_does_not_follow_are_refused_by_the_option_s_name() -> None:
    teacher = classifier(timm.create_model("resnet18", num_classes=2))
    student = make_student(teacher, "resnet18", early_strides=1)
    assert student.training
    with pytest.raises(ValueError, match="--early-strides 2 does not fit resnet18"):
        make_student(teacher, "resnet18", early_strides=2)
