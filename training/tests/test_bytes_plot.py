import json
from pathlib import Path

import pytest

from thumbnet.bytes_plot import Row, bytes_at, draw_bytes, frontier


def row(size: int, accuracy: float, sender: str = "photo", head: str = "t") -> Row:
    return {
        "sender": sender, "side": 56, "format": "webp", "quality": 75, "head": head, "originFlops": 1e6,
        "meanBytes": size, "meanPayload": size // 2 + (sender == "photo") * 25, "accuracy": accuracy,
    }  # fmt: skip


ROWS = [row(100, 0.5), row(300, 0.9), row(200, 0.7), row(250, 0.6), row(400, 0.9)]


def test_the_frontier_leaves_out_what_costs_more_for_no_more() -> None:
    assert [r["meanBytes"] for r in frontier(ROWS)] == [100, 200, 300]


@pytest.mark.parametrize(
    ("accuracy", "expected"), [(0.4, 100), (0.5, 100), (0.6, 150), (0.7, 200), (0.8, 250), (0.9, 300), (0.91, None)]
)
def test_bytes_at_equal_accuracy_lie_between_the_frontier_s_points(accuracy: float, expected: float | None) -> None:
    found = bytes_at(accuracy, ROWS)
    assert found is None if expected is None else found == pytest.approx(expected)


def test_a_measured_file_becomes_a_picture_and_a_table(tmp_path: Path) -> None:
    assert draw_bytes(tmp_path / "none.json", tmp_path / "none.svg").startswith("Not measured yet")
    rows = [*ROWS, row(100, 0.8, "thumbnail", "student-56")]
    measured = {"photos": 10, "command": "npm run bench", "date": "2026-01-01", "rows": rows}
    (tmp_path / "bytes.json").write_text(json.dumps(measured))
    text = draw_bytes(tmp_path / "bytes.json", tmp_path / "bytes.svg")
    assert "| 56 px webp q75 | student-56 | 1 | 80.00 | 100 | 250 | 2.50x | 3.00x |" in text
    assert (tmp_path / "bytes.svg").is_file()
    older = {"command": "npm run older", "date": "2025-12-31"}
    kept = measured | {"rivals": older}
    (tmp_path / "bytes.json").write_text(json.dumps(kept))
    assert "plain photos: `npm run older`, 2025-12-31." in draw_bytes(tmp_path / "bytes.json", tmp_path / "bytes.svg")
    (tmp_path / "bytes.json").write_text(json.dumps(kept | {"earlier": [older | {"heads": ["a", "b"]}]}))
    assert "; a, b: `npm run older`, 2025-12-31." in draw_bytes(tmp_path / "bytes.json", tmp_path / "bytes.svg")
