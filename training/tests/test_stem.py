from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import timm
import torch

from thumbnet.beginning import begin, some_pictures
from thumbnet.classifier import Classifier, load_teacher
from thumbnet.config import Config, Schedule, read_config
from thumbnet.export import export
from thumbnet.export_options import Export
from thumbnet.losses import relative_error
from thumbnet.networks import Networks, build_networks, load_run
from thumbnet.photos import NEVER_TRAINED_ON, read_folder
from thumbnet.pixels import to_unit
from thumbnet.run import StoppedEarlyError, train
from thumbnet.stem import TeacherMaps, layers_before, stem_of

NONE = Schedule(0, 4, 1e-3)


@pytest.fixture
def stemmed(config: Config) -> Config:
    """A student with a stem as wide as the decoder, which learns T's maps for two steps and then T's answers."""
    weights = replace(config.weights, fm=0.0)
    return replace(config, stem_width=8, stem_pairs=1, folded=True, downscaler_lr=0.0, restore=NONE, weights=weights)


def started(config: Config) -> tuple[Classifier, Networks, torch.Tensor, torch.Tensor]:
    teacher = load_teacher(config.teacher, config.teacher_weights, config.teacher_classes)
    networks = build_networks(config, teacher)
    photos = read_folder(config.data / "train", config.cache, exclude=NEVER_TRAINED_ON)
    begin(networks.student, config, networks, teacher, photos)
    return teacher, networks, *some_pictures(networks.downscaler, photos)


@pytest.mark.parametrize(
    ("name", "size", "last", "channels"),
    [
        ("tf_efficientnet_lite0", 56, "blocks.1.1", 24),
        ("tf_efficientnet_lite0", 112, "blocks.0.0", 16),
        ("resnet18", 56, "layer1.1", 64),
        ("resnet18", 112, "act1", 64),
    ],
)
def test_a_stem_stands_for_the_layers_down_to_maps_of_the_thumbnails_size(
    name: str, size: int, last: str, channels: int
) -> None:
    names, found = layers_before(timm.create_model(name), 224, size)
    assert (names[-1], found) == (last, channels)


def test_a_teacher_without_maps_of_that_size_is_refused() -> None:
    with pytest.raises(ValueError, match="the teacher has no maps of 60 pixels"):
        layers_before(timm.create_model("resnet18"), 224, 60)


def test_the_teachers_first_layers_alone_give_the_maps_that_the_others_read(config: Config) -> None:
    teacher = load_teacher(config.teacher, config.teacher_weights, config.teacher_classes)
    image, seen = torch.rand(2, 3, 224, 224), list[torch.Tensor]()
    maps_of = TeacherMaps(teacher, 224, 56)
    teacher.network.get_submodule(maps_of.names[-1]).register_forward_hook(lambda _m, _i, output: seen.append(output))
    teacher(image)
    assert torch.equal(maps_of(image), seen[0]) and seen[0].shape[-1] == 56


def test_a_stem_starts_from_the_decoders_layers_and_the_best_linear_guess(stemmed: Config) -> None:
    teacher, networks, images, thumbnails = started(stemmed)
    stem, maps_of = stem_of(networks.student), TeacherMaps(teacher, 224, 56)
    own, other = stem.residual.state_dict(), networks.decoder.residual.state_dict()
    assert len(own) == 4 and all(torch.equal(value, other[key]) for key, value in own.items())
    with torch.no_grad():
        inner = networks.decoder.first(thumbnails)[:, :, 2:-2, 2:-2]
        read = stem.first(networks.student.normalised(thumbnails))[:, :, 2:-2, 2:-2]
        assert torch.allclose(read, inner, atol=1e-4)
        maps = maps_of(images)
        error = relative_error(stem(networks.student.normalised(thumbnails)), maps)
        constant = relative_error(maps.mean(dim=(0, 2, 3), keepdim=True).expand_as(maps), maps)
    assert error < 0.5 * constant


def test_phase_three_teaches_the_stem_alone(stemmed: Config) -> None:
    only = replace(stemmed, mapping=Schedule(20, 4, 1e-2), learn=NONE)
    train(only)
    _, before, _, _ = started(replace(only, downscaler=only.out / "models.pt"))
    _, after = load_run(read_config(only.out / "config.json"), only.out)
    own, other = before.student.state_dict(), after.student.state_dict()
    changed = {name for name, value in own.items() if not torch.equal(value, other[name])}
    assert changed == {name for name in own if name.startswith("network.conv_stem.")}
    history = torch.load(only.out / "checkpoint.pt", weights_only=True)["progress"]["history"]
    assert [entry["phase"] for entry in history if "maps" in entry] == ["mapping"]


def test_phase_four_may_teach_the_stem_alone_too(stemmed: Config, tmp_path: Path) -> None:
    alone = replace(stemmed, stem_alone=True, learn=Schedule(3, 4, 1e-2))
    train(alone)
    _, before, _, _ = started(replace(alone, downscaler=alone.out / "models.pt"))
    own, other = before.student.state_dict(), load_run(alone, alone.out)[1].student.state_dict()
    changed = {name for name, value in own.items() if not torch.equal(value, other[name])}
    assert changed == {name for name in own if name.startswith("network.conv_stem.")}
    for broken in (replace(alone, folded=False), replace(alone, stem_width=0)):
        with pytest.raises(ValueError, match="--stem-alone needs --stem-width and --folded"):
            train(replace(broken, out=tmp_path / "broken"))


def test_such_a_student_is_exported_and_read_again_as_it_answers(stemmed: Config, tmp_path: Path) -> None:
    train(stemmed)
    models, thumbnail = tmp_path / "models", np.random.default_rng(0).integers(0, 256, (2, 56, 56, 3), dtype=np.uint8)
    export(Export(run=stemmed.out, models=models, suffix="-full"))
    assert '"head": "student-full"' in (models / "student-56-full" / "card.json").read_text()
    session = onnxruntime.InferenceSession(models / "student-56-full" / "1" / "model.onnx")
    served = np.asarray(session.run(None, {"thumbnail": thumbnail})[0])
    _, networks = load_run(stemmed, stemmed.out)
    still = replace(
        stemmed, out=tmp_path / "still", downscaler=stemmed.out / "models.pt", stem_width=0, reconstruct=NONE,
        restore=Schedule(1, 4, 0.0), mapping=NONE, learn=NONE, heads=(models / "student-56-full", stemmed.out),
    )  # fmt: skip
    train(still)
    _, again = load_run(read_config(still.out / "config.json"), still.out)
    for student in (networks.student, *again.heads.values()):
        with torch.no_grad():
            own = student(to_unit(torch.from_numpy(thumbnail))).logits.numpy()
        assert np.allclose(own, served, rtol=1e-2, atol=1e-2)


def test_training_with_a_stem_resumes_exactly_and_averages_from_its_fitted_start(
    stemmed: Config, tmp_path: Path
) -> None:
    whole = replace(stemmed, weight_average=0.5)
    train(whole)
    for phase in (2, 3):
        again = replace(whole, out=tmp_path / f"again{phase}")
        with pytest.raises(StoppedEarlyError):
            train(again, stop_at=(phase, 1))
        train(again)
        one, other = (torch.load(run.out / "models.pt", weights_only=True)["student"] for run in (whole, again))
        assert all(torch.equal(value, other[key]) for key, value in one.items())
    trained = load_run(whole, whole.out)[1].student
    start = started(replace(whole, downscaler=whole.out / "models.pt"))[1].student
    plain = replace(whole, out=tmp_path / "plain", weight_average=1.0)
    train(plain)
    end = load_run(plain, plain.out)[1].student
    name = "network.conv_stem.last.weight"
    halfway = start.state_dict()[name].lerp(end.state_dict()[name], 0.5)
    assert torch.allclose(trained.state_dict()[name], halfway, atol=1e-6)
