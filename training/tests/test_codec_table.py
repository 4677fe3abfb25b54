import json
from pathlib import Path

from thumbnet.codec_table import codec_table, lossless


def point(run: str, quality: int | None, size: int | None, top1: float) -> dict[str, object]:
    image_format = "webp" if quality else "lossless"
    return {
        "run": run,
        "data": "val",
        "format": image_format,
        "quality": quality,
        "bytes": size,
        "top1": top1,
        "images": 9,
    }


def test_runs_stand_beside_each_other_at_each_quality_with_their_seeds_together(tmp_path: Path) -> None:
    path = tmp_path / "codec.json"
    assert codec_table(path, {}).startswith("Not measured yet")
    rows = [point("e", None, None, 97.25), point("e", 60, 812, 90.5), point("b-seed0", None, None, 95.0)]
    rows += [point("b-seed1", None, None, 94.0), point("b-seed0", 60, 800, 90.0), point("b-seed1", 60, 810, 91.0)]
    rows += [point("plain", None, None, 96.0)]  # has its place where no file is lossy
    path.write_text(json.dumps({"commands": ["measure"], "versions": {"torch": "1"}, "rows": rows}))
    table = codec_table(path, {"e": "E", "b": "bicubic", "plain": "plain", "absent": "not run"})
    assert table.splitlines() == [
        "| photos | file | E | bicubic |",
        "| --- | --- | --- | --- |",
        "| val (9) | lossless | 97.2 | 94.5 (94.0 to 95.0, 2 seeds) |",
        "| val (9) | webp q60 | 90.5, 812 B | 90.5 (90.0 to 91.0, 2 seeds), 805 B |",
        "",
        "`measure`; torch 1.",
    ]
    assert lossless(path, "val") == {"e": [97.25], "b": [95.0, 94.0], "plain": [96.0]}
    assert lossless(path, "other") == {} == lossless(tmp_path / "absent.json", "val")
