"""Photos as people's folders hold them: turned, of 16 bits, damaged, astray, and replaced under the same name."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pictures import paint
from PIL import Image, PngImagePlugin

from thumbnet.class_map import read_class_map
from thumbnet.config import Config
from thumbnet.photos import read_folder, read_unlabelled, squash
from thumbnet.run import train

ORIENTATION = 0x0112


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_read_upright(orientation: int, tmp_path: Path) -> None:
    upright = np.asarray(paint(0, 1))
    back = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1], 5: upright.transpose(1, 0, 2),
        6: np.rot90(upright), 7: np.rot90(upright[:, ::-1], -1), 8: np.rot90(upright, -1),
    }  # fmt: skip
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(np.ascontiguousarray(back[orientation])).save(tmp_path / "photo.png", exif=exif)
    assert np.array_equal(squash(tmp_path / "photo.png"), upright)


@pytest.mark.parametrize("claim", ["XML:com.adobe.xmp", "Raw profile type exif"])
def test_only_exif_turns_a_photo(claim: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    info = PngImagePlugin.PngInfo()
    info.add_text(claim, {"X": 'tiff:Orientation="6"', "R": f"\nexif\n0\n{exif.tobytes().hex()}"}[claim[0]])
    paint(0, 1).save(tmp_path / "photo.png", pnginfo=info)
    with Image.open(tmp_path / "photo.png") as image:
        assert image.getexif()[ORIENTATION] == 6
    assert np.array_equal(squash(tmp_path / "photo.png"), np.asarray(paint(0, 1)))


@pytest.mark.parametrize("width", [60, 223, 300])
def test_a_photo_is_shrunk_across_first_however_tall_it_is(width: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (640, width, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "tall.png")
    narrow = Image.fromarray(noise).resize((224, 640), Image.Resampling.BICUBIC)
    across_first = narrow.resize((224, 224), Image.Resampling.BICUBIC)
    assert np.array_equal(squash(tmp_path / "tall.png"), np.asarray(across_first))


def test_of_16_bit_samples_the_high_byte_counts(tmp_path: Path) -> None:
    ramp = np.arange(224 * 224, dtype=np.uint16).reshape(224, 224)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    assert np.array_equal(squash(tmp_path / "ramp.png")[..., 0], (ramp >> 8).astype(np.uint8))


@pytest.mark.parametrize(("name", "kept"), [("a.jpg", -1000), ("b.jpg", 0), ("c.avif", -1000)])
def test_a_damaged_photo_is_named(name: str, kept: int, tmp_path: Path) -> None:
    paint(0, 1).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    # Bytes follow, as within an AVIF file: a decoder of that meets the damage late.
    (tmp_path / name).write_bytes(whole[:kept] + bytes(1000 if name == "c.avif" else 0))
    with pytest.raises(ValueError, match=rf"{name} is no whole image"):
        read_folder(tmp_path, tmp_path / "cache")


def test_a_photo_s_class_is_the_first_folder_that_it_is_in(tmp_path: Path) -> None:
    for name in ("cat/2021/a.png", "cat/b.png", "dog/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        paint(0, 1).save(tmp_path / name)
    photos = read_folder(tmp_path, tmp_path / "cache")
    assert (photos.classes, photos.labels.tolist()) == (["cat", "dog"], [0, 0, 1])


def test_class_folders_may_be_links_but_none_is_followed_in_a_circle(tmp_path: Path) -> None:
    for name in ("store/a.png", "data/dog/b.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        paint(0, 1).save(tmp_path / name)
    (tmp_path / "data" / "cat").symlink_to(tmp_path / "store")
    (tmp_path / "store" / "back").symlink_to(tmp_path / "data")
    photos = read_folder(tmp_path / "data", tmp_path / "cache")
    assert (photos.classes, photos.names, photos.labels.tolist()) == (["cat", "dog"], ["a.png", "b.png"], [0, 1])


def test_what_is_no_photo_is_counted_and_avif_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, cache = tmp_path / "photos", tmp_path / "cache"
    folder.mkdir()
    paint(0, 1).save(folder / "a.avif")
    paint(0, 2).save(folder / "b.png")
    assert read_folder(folder, cache).names == ["a.avif", "b.png"]
    assert "no photos" not in capsys.readouterr().out
    (folder / "notes.txt").touch()
    assert len(read_folder(folder, cache, exclude="b.*")) == 1
    assert "1 files that are no photos" in capsys.readouterr().out


@pytest.mark.parametrize("part", ["train", "val"])
def test_a_photo_beside_the_class_folders_is_refused_before_training(part: str, config: Config, tmp_path: Path) -> None:
    shutil.copytree(config.data, tmp_path / "data")
    paint(0, 1).save(tmp_path / "data" / part / "astray.png")
    with pytest.raises(ValueError, match=rf"{part} must hold photos in class folders alone; astray\.png"):
        train(replace(config, data=tmp_path / "data"))
    assert not list(config.out.glob("checkpoint.pt"))


def test_another_photo_of_the_same_name_and_size_is_read_anew(tmp_path: Path) -> None:
    def show(level: int) -> tuple[int, str]:
        Image.new("RGB", (224, 224), (level, 0, 0)).save(tmp_path / "photo.bmp")
        os.utime(tmp_path / "photo.bmp", ns=(level, level))
        photos = read_folder(tmp_path, tmp_path / "cache")
        return int(photos.pixels[0, 0, 0, 0]), photos.fingerprint

    first, other, again = show(10), show(20), show(10)
    assert (first[0], other[0]) == (10, 20)
    assert first == again
    assert first[1] != other[1]


def test_one_changed_photo_of_a_stack_makes_it_another(tmp_path: Path) -> None:
    stack = np.zeros((40, 224, 224, 3), np.uint8)

    def fingerprint(time: int) -> str:
        np.save(tmp_path / "stack.npy", stack)
        os.utime(tmp_path / "stack.npy", ns=(time, time))
        return read_unlabelled(tmp_path / "stack.npy", tmp_path).fingerprint

    before = fingerprint(1)
    stack[7, 100, 100] = 1
    assert fingerprint(2) != before
    stack[7, 100, 100] = 0
    assert fingerprint(3) == before


@pytest.mark.parametrize(
    ("outputs", "message"),
    [((0, 0), "bars, disc the same output"), ((0, 2), "names output 2 and test_efficientnet has 0 to 1")],
)
def test_a_class_map_that_no_classifier_could_follow_is_refused(
    outputs: tuple[int, int], message: str, config: Config, tmp_path: Path
) -> None:
    entries = {"bars": [outputs[0], "bars"], "disc": [outputs[1], "disc"]}
    (tmp_path / "map.json").write_text(json.dumps(entries))
    with pytest.raises(ValueError, match=message):
        train(replace(config, class_map=str(tmp_path / "map.json")))


def test_a_class_map_may_be_partial_and_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text(json.dumps({"b": [7, "B"], "unused": [7, "?"], "a": [3, "A"]}))
    assert read_class_map(tmp_path / "map.json", ["a", "b"]).outputs == [3, 7]
