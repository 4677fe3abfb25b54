from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from thumbnet.classifier import keep_classes, load_teacher, make_student
from thumbnet.config import Config
from thumbnet.folding import fold_normalisation
from thumbnet.onnx_files import ServedStudent, write_onnx
from thumbnet.pixels import to_unit
from thumbnet.served_student import load_served_student


@pytest.mark.parametrize("folded", [(False, False), (False, True), (True, False), (True, True)], ids=str)
@pytest.mark.parametrize(("kept", "classes"), [([0, 1], [0, 1]), ([1], [1])], ids=["all classes", "one of two"])
def test_it_answers_as_its_file_does_also_while_it_is_trained(
    tiny: Config, tmp_path: Path, kept: list[int], classes: list[int], folded: tuple[bool, bool]
) -> None:
    teacher = load_teacher(tiny.teacher, tiny.teacher_weights, tiny.teacher_classes)
    torch.manual_seed(1)
    made = make_student(teacher, tiny.teacher)
    for parameter in made.parameters():
        parameter.data.mul_(1 + 0.3 * torch.rand_like(parameter)).add_(0.02 * torch.rand_like(parameter))
    made = fold_normalisation(made) if folded[0] else made
    keep_classes(made, kept)
    folder = tmp_path / "student-56"
    write_onnx(ServedStudent(made), 56, ("thumbnail", "logits"), folder / "1" / "model.onnx", round_weights=True)
    pixels = torch.randint(0, 256, (8, 56, 56, 3), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    session = onnxruntime.InferenceSession(folder / "1" / "model.onnx", providers=["CPUExecutionProvider"])
    expected = np.asarray(session.run(None, {"thumbnail": pixels.numpy()})[0])

    student = make_student(teacher, tiny.teacher)
    student = fold_normalisation(student) if folded[1] else student
    load_served_student(folder, student, classes, to_unit(pixels))
    for mode in (student.eval(), student.train()):
        found = mode(to_unit(pixels)).logits[:, classes].detach().numpy()
        assert np.abs(found - expected).max() < 1e-3 * max(1, np.abs(expected).max())
