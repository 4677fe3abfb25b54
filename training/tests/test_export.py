import json
import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import timm
import torch
from pictures import paint

from thumbnet.card import logits, pixels, write_card
from thumbnet.class_map import read_class_map, read_labels
from thumbnet.classifier import Classifier, load_teacher
from thumbnet.config import Config, Schedule, read_config
from thumbnet.downscaler import ServedDownscaler
from thumbnet.export import export
from thumbnet.export_options import Export
from thumbnet.golden import golden_photo, main, write_photo
from thumbnet.networks import build_networks
from thumbnet.onnx_files import ServedStudent, halve, write_onnx
from thumbnet.run import train
from thumbnet.stored_weights import load_networks


@pytest.fixture(scope="module")
def folder(tiny: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run, the models exported from it and golden vectors."""
    folder = tmp_path_factory.mktemp("exported")
    train(replace(tiny, out=folder / "run"))
    paint(0, 5).save(folder / "photo.jpg")
    write_photo(folder / "photo.jpg", folder / "golden")
    export(
        Export(
            run=folder / "run",
            models=folder / "models",
            parts=("downscaler", "student", "restorer"),
            golden=folder / "golden",
            limits="It is a test.",
        )
    )
    return folder


@pytest.fixture
def models(folder: Path) -> Path:
    return folder / "models"


def open_model(folder: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(folder / "1" / "model.onnx", providers=["CPUExecutionProvider"])


def test_exported_models_answer_as_pytorch_does(models: Path, folder: Path) -> None:
    config = read_config(folder / "run" / "config.json")
    teacher = load_teacher(config.teacher, config.teacher_weights, config.teacher_classes)
    networks = build_networks(config, teacher)
    load_networks(config.out / "models.pt", networks.modules(), tuple(networks.modules()))
    halve(networks.downscaler)
    image = np.stack([np.asarray(paint(i % 2, i)) for i in range(3)])
    thumbnail = np.asarray(open_model(models / "downscaler-56").run(["thumbnail"], {"image": image})[0])
    expected = ServedDownscaler(networks.downscaler)(torch.from_numpy(image)).numpy()
    assert thumbnail.shape == (3, 56, 56, 3)
    assert np.abs(thumbnail.astype(int) - expected).max() <= 1
    assert (thumbnail != expected).mean() < 0.001
    logits = np.asarray(open_model(models / "student-56").run(["logits"], {"thumbnail": thumbnail})[0])
    exact = ServedStudent(networks.student.eval())(torch.from_numpy(thumbnail)).detach().numpy()
    assert np.abs(logits - exact).max() < 0.02 * max(1, np.abs(exact).max())  # float16 weights


def test_cards_tell_the_truth_about_their_files(models: Path) -> None:
    cards = {path.parent.name: json.loads(path.read_text()) for path in models.glob("*/card.json")}
    assert sorted(cards) == ["downscaler-56", "restorer-56", "student-56"]  # no teacher-224 to restore photos for
    for name, card in cards.items():
        file = (models / name / "1" / "model.onnx").read_bytes()
        assert card["sha256"] == sha256(file).hexdigest()
        assert card["bytes"] == len(file)
        session = open_model(models / name)
        for entry, tensor in ((card["input"], session.get_inputs()[0]), (card["output"], session.get_outputs()[0])):
            assert tensor.name == entry["name"]
            assert tensor.shape[1:] == entry["shape"][1:]
            assert isinstance(tensor.shape[0], str)  # a free batch size
            assert tensor.type == {"UINT8": "tensor(uint8)", "FP32": "tensor(float)"}[entry["datatype"]]
    assert cards["downscaler-56"]["students"] == ["student-56"]
    assert cards["student-56"]["downscaler"] == "downscaler-56"
    assert (models / "student-56" / "labels.txt").read_text().split() == ["bars", "disc"]
    assert cards["student-56"]["evaluation"][0]["images"] == 9
    assert 'label_filename: "labels.txt"' in (models / "student-56" / "config.pbtxt").read_text()
    assert "dims: [ 224, 224, 3 ]" in (models / "downscaler-56" / "config.pbtxt").read_text()


def test_a_restorer_and_the_teacher_beside_it_become_an_ensemble(models: Path, folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "models"
    shutil.copytree(models, own)
    config = read_config(folder / "run" / "config.json")
    teacher = load_teacher(config.teacher, config.teacher_weights, config.teacher_classes)
    card = {
        "name": "teacher-224", "role": "teacher", "input": pixels("image", 224), "output": logits(2),
        "labels": "labels.txt", "parameters": 1, "flops": 1, "training": {"architecture": config.teacher},
    }  # fmt: skip
    beside = own / "teacher-224" / "1" / "model.onnx"
    another = Classifier(timm.create_model(config.teacher, num_classes=2).eval(), [0.5] * 3, [0.5] * 3)
    write_onnx(ServedStudent(another), 224, ("image", "logits"), beside, True)
    write_card(own / "teacher-224", card, ["bars", "disc"])
    export(Export(run=folder / "run", models=own, parts=("restorer", "fused")))
    assert not (own / "restored-56").exists()  # of the same architecture, and yet not the restorer's teacher
    write_onnx(ServedStudent(teacher), 224, ("image", "logits"), beside, True)
    write_card(own / "teacher-224", card, ["bars", "disc"])
    export(Export(run=folder / "run", models=own, parts=("restorer", "fused")))
    card = json.loads((own / "restored-56" / "card.json").read_text())
    assert (card["head"], card["steps"], card["classes"]) == ("restored", ["restorer-56", "teacher-224"], 2)
    assert "restored-56" in json.loads((own / "downscaler-56" / "card.json").read_text())["students"]
    fused_card = json.loads((own / "restored-56-fused" / "card.json").read_text())
    assert fused_card["training"]["downscaler_sha256"] == card["training"]["downscaler_sha256"]
    config_text = (own / "restored-56" / "config.pbtxt").read_text()
    assert 'platform: "ensemble"' in config_text
    assert 'input_map { key: "image", value: "image" }' in config_text
    assert "dynamic_batching" not in config_text
    thumbnail = np.random.default_rng(0).integers(0, 256, (2, 56, 56, 3), dtype=np.uint8)
    image = open_model(own / "restorer-56").run(None, {"thumbnail": thumbnail})[0]
    chained = np.asarray(open_model(own / "teacher-224").run(None, {"image": image})[0])
    fused = np.asarray(open_model(own / "restored-56-fused").run(None, {"thumbnail": thumbnail})[0])
    assert np.abs(chained - fused[:, :2]).max() < 0.05 * np.abs(fused).max()  # the restored photo is not rounded here


def test_a_restored_teacher_is_not_measured_on_folders_that_it_is_not_known_to_tell_apart(
    tiny: Config, tmp_path: Path
) -> None:
    torch.save(timm.create_model(tiny.teacher, num_classes=3).state_dict(), tmp_path / "three.pt")
    none, one = Schedule(0, 4, 1e-3), Schedule(1, 4, 1e-3)
    three = replace(
        tiny, out=tmp_path / "run", teacher_weights=tmp_path / "three.pt", teacher_classes=3, reconstruct=one,
        restore=none, mapping=none, learn=none,
    )  # fmt: skip
    train(three)
    beside = tmp_path / "models" / "teacher-224"
    teacher = load_teacher(three.teacher, three.teacher_weights, 3)
    write_onnx(ServedStudent(teacher), 224, ("image", "logits"), beside / "1" / "model.onnx", True)
    sizes = {"parameters": 1, "flops": 1, "labels": "labels.txt"}
    card = {"name": "teacher-224", "role": "teacher", "input": pixels("image", 224), "output": logits(3)} | sizes
    write_card(beside, card, ["a", "b", "c"])
    export(Export(run=three.out, models=tmp_path / "models", parts=("downscaler", "restorer")))
    for name in ("restorer-56", "restored-56"):
        assert json.loads((tmp_path / "models" / name / "card.json").read_text())["evaluation"] == []


def test_a_student_may_keep_all_of_the_teacher_s_classes(models: Path, folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "models"
    shutil.copytree(models, own)
    (tmp_path / "labels.txt").write_text("stripes\nround\n")
    paint(0, 3).save(tmp_path / "0.png")
    (tmp_path / "labels.csv").write_text("file,class_index\n0.png,1\n")
    options = Export(run=folder / "run", models=own, parts=("student",), labels=str(tmp_path / "labels.txt"))
    export(replace(options, clean=tmp_path))
    card = json.loads((own / "student-56" / "card.json").read_text())
    assert (card["classes"], (own / "student-56" / "labels.txt").read_text()) == (2, "stripes\nround\n")
    assert [entry["images"] for entry in card["evaluation"]] == [9, 8, 1, 1]
    assert card["evaluation"][-1]["how"].endswith("all classes")
    with pytest.raises(ValueError, match="a line for each output of the teacher"):
        export(replace(options, labels=str(tmp_path / "none.txt")))


def test_imagenet_s_labels_are_a_thousand_and_those_of_imagenette_among_them() -> None:
    labels = read_labels("imagenet")
    assert len(labels) == len({label.lower() for label in labels}) == 1000
    ten = read_class_map("imagenette", ["n01440764", "n03888257"])
    assert [labels[output] for output in ten.outputs] == ten.labels


def test_files_carry_no_path_of_the_machine_that_made_them(models: Path) -> None:
    for path in models.glob("*/1/model.onnx"):
        assert str(Path(__file__).parents[2]).encode() not in path.read_bytes()
        assert onnx.load(path).opset_import[0].version == 18


def test_golden_thumbnails_agree_between_pytorch_and_onnxruntime(models: Path, folder: Path) -> None:
    golden = folder / "golden"
    main(str(folder / "photo.jpg"), str(models), str(golden))
    assert golden_photo(golden).shape == (1, 224, 224, 3)
    ours, theirs = (np.load(golden / f"downscaler-56.{by}.npy").astype(int) for by in ("pytorch", "onnxruntime"))
    assert np.abs(ours - theirs).max() <= 1
    assert (ours != theirs).mean() < 0.001


def test_a_student_is_not_put_beside_another_downscaler(folder: Path, tiny: Config, tmp_path: Path) -> None:
    other = replace(tiny, out=tmp_path / "other", seed=3)
    train(other)
    with pytest.raises(ValueError, match="is not the downscaler of"):
        export(Export(run=other.out, models=folder / "models", parts=("student",)))
    with pytest.raises(ValueError, match="export the downscaler first"):
        export(Export(run=other.out, models=tmp_path / "empty", parts=("student",)))
