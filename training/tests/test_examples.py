"""examples/pytorch on thumbnails of made pictures, in each format that can be read."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLE = Path(__file__).parents[2] / "examples" / "pytorch"
COLOURS = {"blue": (20, 40, 220), "red": (220, 40, 20)}
SIDE = 56


@pytest.fixture
def example(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLE))
    return import_module("thumbnails")


def write(folder: Path, suffix: str, side: int = SIDE, each: int = 16) -> Path:
    """Noise around the colour of the class."""
    rng = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for i in range(each):
            pixels = np.clip(rng.normal(colour, 20, (side, side, 3)), 0, 255).astype(np.uint8)
            path = folder / name / f"{i}{suffix}"
            if suffix == ".npy":
                np.save(path, pixels)
            else:
                Image.fromarray(pixels).save(path)
    return folder


@pytest.mark.parametrize("suffix", [".npy", ".png", ".webp", ".jpeg"])
def test_every_format_is_read_as_bytes_with_its_class(example, tmp_path, suffix):
    data = example.Thumbnails(write(tmp_path, suffix))
    assert data.classes == ["blue", "red"]
    assert len(data) == 32
    for index, label in [(0, 0), (31, 1)]:
        pixels, found = data[index]
        assert (tuple(pixels.shape), str(pixels.dtype), found) == ((3, SIDE, SIDE), "torch.uint8", label)
        colour = pixels.float().mean((1, 2)).tolist()
        assert colour == pytest.approx(COLOURS[data.classes[label]], abs=12)


def test_what_is_no_thumbnail_of_that_size_is_refused(example, tmp_path):
    with pytest.raises(ValueError, match="Expected 56 pixels a side"):
        example.Thumbnails(write(tmp_path / "large", ".png", side=57))[0]
    (tmp_path / "empty" / "class").mkdir(parents=True)
    with pytest.raises(ValueError, match="found none"):
        example.Thumbnails(tmp_path / "empty")


def test_a_model_learns_from_thumbnails_and_the_bytes_are_counted(tmp_path):
    thumbnails = write(tmp_path / "thumbnails", ".png")
    photos = write(tmp_path / "photos", ".png", side=224)
    arguments = ["--originals", photos, "--model", "resnet10t", "--epochs", "8", "--batch", "8"]
    ended = subprocess.run(
        [sys.executable, "finetune.py", thumbnails, *arguments],
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    first, loss, bytes_saved = ended.stdout.splitlines()
    assert first == "32 thumbnails of 2 classes"
    before, after = (float(text) for text in loss.split(",")[0].removeprefix("loss ").split(" -> "))
    assert after < before / 2
    assert loss.endswith("100.0%")
    assert float(bytes_saved.split(": ")[1].split()[0]) > 10


@pytest.mark.parametrize("suffix", [".npy", ".png"])
def test_tf_data_reads_the_same_pixels(example, tmp_path, suffix):
    pytest.importorskip("tensorflow")
    tfdata = import_module("tfdata")
    folder = write(tmp_path, suffix)
    pairs, classes = tfdata.thumbnails(folder, suffix=suffix)
    data = example.Thumbnails(folder)
    assert classes == data.classes
    for (pixels, label), (expected, index) in zip(pairs.as_numpy_iterator(), data, strict=True):
        assert label == index
        np.testing.assert_array_equal(pixels, expected.permute(1, 2, 0).numpy())
