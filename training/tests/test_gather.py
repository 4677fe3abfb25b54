import subprocess
from pathlib import Path

import numpy as np
import pytest
from pictures import paint
from PIL import Image

from thumbnet import gather
from thumbnet.gather import Repository, main, middle


def encoded(width: int, height: int, path: Path) -> bytes:
    paint(1, 5).resize((width, height)).save(path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("width", "height", "taken"),
    [(150, 150, True), (149, 300, False), (375, 150, True), (376, 150, False), (900, 600, True)],
)
def test_photos_that_are_too_small_or_too_narrow_are_left_out(
    width: int, height: int, taken: bool, tmp_path: Path
) -> None:
    photo = middle(encoded(width, height, tmp_path / "photo.jpg"))
    assert (photo is not None) == taken
    assert photo is None or (photo.shape == (224, 224, 3) and photo.dtype == np.uint8)


def test_the_middle_of_a_wide_photo_is_taken(tmp_path: Path) -> None:
    wide = np.zeros((300, 500, 3), np.uint8)
    wide[:, 95:405] = 255  # and a little more: edges are smooth
    Image.fromarray(wide).save(tmp_path / "wide.png")
    photo = middle((tmp_path / "wide.png").read_bytes())
    assert photo is not None
    assert photo.min() == 255


def test_photos_of_a_folder_at_a_commit_follow_those_of_the_pool_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "mirror" / "owner+photos"
    (repository / "taken").mkdir(parents=True)
    for name, side in (("taken/a.jpg", 230), ("taken/same.jpg", 230), ("taken/b c.png", 240), ("other.jpg", 250)):
        encoded(side, side, repository / name)
    (repository / "taken" / "broken.jpg").write_bytes(b"no photo")
    (repository / "taken" / "notes.txt").write_text("no photo either")
    git = ["git", "-C", str(repository), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "photos"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    monkeypatch.setattr(gather, "REPOSITORIES", (Repository("owner/photos", commit, "taken"),))
    pool = np.full((3, 224, 224, 3), 7, np.uint8)
    np.save(tmp_path / "pool.npy", pool)
    main(tmp_path / "mirror", tmp_path / "further.npy", tmp_path / "pool.npy")
    stack = np.load(tmp_path / "further.npy")
    assert stack.shape == (5, 224, 224, 3)
    assert (stack[:3] == pool).all()
    expected = middle((repository / "taken" / "a.jpg").read_bytes())
    assert (stack[3] == expected).all()
