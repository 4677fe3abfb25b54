"""What an export refuses while the models folder is still as it was."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from thumbnet.config import Config, Schedule
from thumbnet.described import Described
from thumbnet.export import export
from thumbnet.export_options import Export
from thumbnet.export_refusals import require_parts
from thumbnet.photos import read_folder
from thumbnet.run import train

NONE = Schedule(0, 4, 1e-3)


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({}, {"parts": ("students",)}, "--parts takes .*, not students"),
        ({}, {"parts": ()}, "--parts takes .*, not nothing"),
        ({"learn": NONE, "mapping": NONE}, {}, "trained no student"),
        ({"reconstruct": NONE, "restore": NONE}, {"parts": ("restorer",)}, "trained no restorer"),
        ({"reconstruct": NONE, "restore": NONE}, {"parts": ("fused",)}, "trained no restorer"),
        ({"heads": (Path("a/one"), Path("b/two"))}, {"head": "three"}, "no --head three, only one, two"),
        ({"heads": (Path("a/one"),), "restore": NONE}, {"head": "one"}, "trained no student"),
        ({}, {"clean": Path("photos")}, "give --labels"),
        ({}, {"clean": Path("photos"), "labels": "labels.txt"}, r"no labels\.csv"),
        ({}, {"labels": "imagenet"}, "1000 lines and the teacher of .* 2 outputs"),
        ({}, {"baseline": Path("none")}, "is no finished run"),
    ],
)
def test_parts_that_would_say_nothing_are_refused(
    changes: dict[str, Any], options: dict[str, Any], message: str, tiny: Config, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("labels.txt").write_text("a\nb\n")
    with pytest.raises(ValueError, match=message):
        require_parts(Export(Path("run"), **options), replace(tiny, **changes), 2, True)


def test_parts_that_a_run_has_trained_are_not_refused(tiny: Config) -> None:
    for changes, options in (
        ({}, Export(Path("run"), parts=("downscaler", "student", "restorer", "fused"))),
        ({"learn": NONE}, Export(Path("run"))),
        ({"restore": NONE}, Export(Path("run"), parts=("restorer",))),
        ({"heads": (Path("a/one"),), "learn": NONE, "mapping": NONE}, Export(Path("run"), head="one")),
    ):
        require_parts(options, replace(tiny, **changes), 2, True)


def test_a_refused_export_writes_nothing(config: Config, tmp_path: Path) -> None:
    train(replace(config, reconstruct=NONE, restore=NONE, mapping=NONE, learn=NONE))
    with pytest.raises(ValueError, match="trained no student"):
        export(Export(config.out, tmp_path / "models"))
    assert not (tmp_path / "models").exists()


def test_a_card_is_compared_with_the_same_part_of_a_run_that_differs_in_its_thumbnails(
    tiny: Config, tmp_path: Path
) -> None:
    own, other = tmp_path / "own", tmp_path / "bicubic"
    for run in (own, other):
        run.mkdir()
        scores = {"teacher": 99.0, "student": 80.0, "restored": 60.0}
        result = {name: {"all": {"top1": score}} for name, score in scores.items()}
        (run / "result.json").write_text(json.dumps(result))
    bicubic = replace(tiny, width=0, downscaler=Path("x/models.pt"), student=Path("y/models.pt"), out=other)
    (other / "config.json").write_text(bicubic.to_json())
    options = Export(own, baseline=other)
    require_parts(options, tiny, 2, True)
    told = Described(options, tiny, read_folder(tiny.data / "val", tiny.cache))
    for part, top1 in (("student", 80.0), ("restored", 60.0)):
        expected = {"teacher on the photo": 99.0, "bicubic thumbnails, same training": top1}
        assert told.baseline(part, "all") == expected
    (other / "config.json").write_text(replace(bicubic, seed=1, restore=NONE).to_json())
    with pytest.raises(ValueError, match="no run of the same training: --restore, --seed differ"):
        require_parts(options, tiny, 2, True)
