import json
from dataclasses import replace
from pathlib import Path

import pytest

from thumbnet.command import command_of
from thumbnet.config import Config, Schedule
from thumbnet.experiments import expand, work
from thumbnet.report import write_report
from thumbnet.results import collect, thin

NONE = Schedule(0, 4, 1e-3)
SPEED = {"models": {"teacher": {"images_per_second": 9.5, "peak_mib": 80}}, "how": "h", "machine": "m", "versions": {}}


def test_a_list_of_runs_is_worked_through_once_in_the_order_of_needs_and_reported(
    config: Config, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    quick = replace(config, reconstruct=NONE, restore=NONE, mapping=NONE, learn=Schedule(20, 4, 1e-3), downscaler_lr=0)
    words = command_of(quick, full_paths=True).split()[2:]
    at = words.index("--out")
    options = " ".join(words[:at] + words[at + 2 :])
    experiments = expand(
        [
            {"name": "student-56", "needs": "student-56-bicubic-seed0 student-56-bicubic-seed1", "options": options},
            {"name": "student-56-bicubic", "seeds": [0, 1], "options": options + " --width 0"},
        ]
    )
    work(experiments, {"runs": str(runs)})
    times = {name: (runs / name / "result.json").stat().st_mtime_ns for name in (e["name"] for e in experiments)}
    assert max(times, key=lambda name: times[name]) == "student-56"
    work(experiments, {"runs": str(runs)})
    assert all((runs / name / "result.json").stat().st_mtime_ns == time for name, time in times.items())

    results = tmp_path / "results"
    assert collect(runs, results) == ["student-56", "student-56-bicubic-seed0", "student-56-bicubic-seed1"]
    assert collect(runs, results, ["student-56"]) == ["student-56"]
    (results / "speed.json").write_text(json.dumps(SPEED))
    (results / "text.md").write_text("<!-- accuracy -->\n<!-- gain -->\n<!-- cost -->\n<!-- commands -->\n")
    write_report(results, tmp_path / "docs", tmp_path / "models")
    page = (tmp_path / "docs" / "results.md").read_text()
    assert "2 seeds" in page
    assert "| S, 56 px |" in page
    assert "| teacher |" in page
    assert "thumbnet train" in page
    assert str(tmp_path) not in page


def test_each_seed_has_a_run_of_its_own_that_may_go_on_from_the_same_seed_of_another() -> None:
    runs = [
        {"name": "first", "seeds": [0, 7], "options": "--width 0"},
        {"name": "second", "needs": "first-seed{seed}", "seeds": [7], "options": "--student {runs}/first-seed{seed}"},
        {"name": "third", "needs": "second-seed7", "options": "--size 56"},
    ]
    assert expand(runs) == [
        {"name": "first-seed0", "needs": "", "options": "--width 0 --seed 0"},
        {"name": "first-seed7", "needs": "", "options": "--width 0 --seed 7"},
        {"name": "second-seed7", "needs": "first-seed7", "options": "--student {runs}/first-seed7 --seed 7"},
        {"name": "third", "needs": "second-seed7", "options": "--size 56"},
    ]


def test_a_run_that_fails_is_left_and_the_others_go_on(config: Config, tmp_path: Path) -> None:
    work(
        expand([{"name": "waits", "needs": "broken", "options": ""}, {"name": "broken", "options": "--data nowhere"}]),
        {"runs": str(tmp_path / "runs")},
    )
    assert not (tmp_path / "runs" / "broken" / "result.json").exists()
    assert "broken" not in collect(tmp_path / "runs", tmp_path / "results")


def test_a_need_that_nobody_could_meet_is_named(tmp_path: Path) -> None:
    needy = expand([{"name": "second", "needs": "frist", "options": "--data nowhere"}])
    with pytest.raises(ValueError, match="second needs frist, which is neither listed nor finished"):
        work(needy, {"runs": str(tmp_path)})
    (tmp_path / "frist").mkdir()
    (tmp_path / "frist" / "result.json").touch()
    work(needy, {"runs": str(tmp_path)})
    assert (tmp_path / "second.log").is_file()


def test_values_may_hold_spaces(tmp_path: Path) -> None:
    listed = expand([{"name": "one", "options": "--data {data}/x --width 0"}])
    work(listed, {"runs": str(tmp_path), "data": str(tmp_path / "my photos")})
    assert f"no image files in {tmp_path}/my photos/x/train" in (tmp_path / "one.log").read_text()


def test_thinned_curves_keep_their_last_point() -> None:
    rows = thin([{"phase": "learn", "step": step, "kd": 1 / (step + 1)} for step in range(1000)])
    assert len(rows) < 130
    assert rows[-1]["step"] == 999
