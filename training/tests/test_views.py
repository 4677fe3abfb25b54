from pathlib import Path

import numpy as np
import pytest

from thumbnet.class_map import read_class_map
from thumbnet.photos import read_folder, read_unlabelled
from thumbnet.views import Views, shuffled


def test_folders_become_labels_and_excluded_files_stay_out(data: Path, tmp_path: Path) -> None:
    photos = read_folder(data / "train", tmp_path, exclude="ILSVRC2012_val_*")
    assert photos.classes == ["bars", "disc"]
    assert photos.labels.tolist() == [0] * 6 + [1] * 6
    assert not any(name.startswith("ILSVRC") for name in photos.names)
    assert len(read_folder(data / "train", tmp_path)) == 13


def test_unlabelled_stacks_are_read_and_wrong_ones_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "good.npy", np.zeros((5, 224, 224, 3), np.uint8))
    np.save(tmp_path / "bad.npy", np.zeros((5, 32, 32, 3), np.uint8))
    photos = read_unlabelled(tmp_path / "good.npy", tmp_path, every=2)
    assert photos.labels.tolist() == [-1, -1, -1]
    with pytest.raises(ValueError, match=r"expected uint8 \[N,224,224,3\]"):
        read_unlabelled(tmp_path / "bad.npy", tmp_path)


def test_a_view_depends_on_seed_and_index_alone(data: Path, tmp_path: Path) -> None:
    photos = read_folder(data / "train", tmp_path)
    few, many = Views(photos, 2), Views(photos, 5)
    assert np.array_equal(few.pixels(3), photos.pixels[3])  # round 0: the whole photo
    assert np.array_equal(few.pixels(20), many.pixels(20))
    assert not np.array_equal(few.pixels(20), Views(photos, 2, seed=1).pixels(20))
    assert not np.array_equal(few.pixels(20), few.pixels(7))
    assert few.labels(np.array([0, 13])).tolist() == [0, 0]


def test_shuffled_batches_cover_every_item_once_a_pass() -> None:
    batches = [shuffled(10, 4, step, [3]) for step in range(5)]
    drawn = np.concatenate(batches)
    assert sorted(drawn[:10]) == sorted(drawn[10:]) == list(range(10))
    assert drawn[:10].tolist() != drawn[10:].tolist()
    assert np.array_equal(shuffled(10, 4, 3, [3]), batches[3])


def test_class_maps_come_by_name_and_missing_folders_are_named() -> None:
    known = read_class_map("imagenette", ["n01440764", "n03888257"])
    assert known.outputs == [0, 701]
    assert known.labels == ["tench", "parachute"]
    with pytest.raises(ValueError, match="says nothing of n99"):
        read_class_map("imagenette", ["n99"])
