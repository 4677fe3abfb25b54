from pathlib import Path

import numpy as np
import pytest
from pictures import paint

from thumbnet.classifier import load_teacher
from thumbnet.unseen import clean


def test_every_second_row_of_the_labels_is_read_with_its_class_among_a_thousand(tmp_path: Path) -> None:
    for i in range(3):
        paint(i % 2, i).save(tmp_path / f"{i}.png")
    (tmp_path / "labels.csv").write_text("file,class_index\n0.png,5\n1.png,6\n2.png,999\n")
    photos, outputs = clean(tmp_path)
    assert photos.labels.tolist() == [5, 999]
    assert outputs == list(range(1000))
    assert np.array_equal(photos.pixels[1], np.asarray(paint(0, 2)))


def test_weights_that_are_not_installed_are_named() -> None:
    with pytest.raises(ValueError, match="efficientnet-lite9-pytorch-model"):
        load_teacher("tf_efficientnet_lite9")
