import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from thumbnet.config import Config, Schedule
from thumbnet.prior import class_prior
from thumbnet.prior_curve import prior_table
from thumbnet.run import train

NONE = Schedule(0, 4, 1e-3)


def test_the_prior_is_the_mean_of_what_the_teacher_sees_by_each_part_s_share() -> None:
    sure = 30 * np.eye(2, dtype=np.float16)
    labelled, pool = [sure], [sure[[0, 0]], sure[[0, 1]]]  # half and half; three of four
    assert class_prior([(labelled, 1.0, None)]).tolist() == pytest.approx([0.5, 0.5])
    assert class_prior([(labelled, 0.6, None), (pool, 0.4, None)]).tolist() == pytest.approx([0.6, 0.4])
    drawn = np.array([0.1, 0.1, 0.1, 0.7])
    assert class_prior([(labelled, 0.6, None), (pool, 0.4, drawn)]).tolist() == pytest.approx([0.42, 0.58])


def test_a_student_forgets_how_often_its_photos_showed_each_class_and_nothing_else(config: Config) -> None:
    plain = replace(config, reconstruct=NONE, restore=NONE, mapping=NONE)
    weights = {}
    for share in (0.0, 0.5, 1.0):
        run = replace(plain, out=config.out.with_name(f"prior {share}"), prior=share)
        train(run)
        weights[share] = torch.load(run.out / "models.pt", weights_only=True)["student"]
    changed = [key for key, value in weights[0.0].items() if not torch.equal(value, weights[1.0][key])]
    assert changed == ["network.classifier.bias"]
    half, whole = (weights[share][changed[0]] - weights[0.0][changed[0]] for share in (0.5, 1.0))
    assert torch.allclose(2 * half, whole, atol=1e-6)
    assert (-whole).exp().sum().item() == pytest.approx(1, abs=1e-4)  # whole is -log of frequencies


def test_what_taking_back_less_of_the_prior_gives_is_shown_share_by_share(tmp_path: Path) -> None:
    path = tmp_path / "prior.json"
    assert prior_table(path).startswith("Not measured yet")
    rows = [
        {"run": run, "data": data, "images": 9, "prior": prior, "top1": top1}
        for (run, data), top1s in {("x", "A"): (80.0, 50.0), ("x", "B"): (60.0, 70.0), ("y", "A"): (9.0, 8.0)}.items()
        for prior, top1 in zip(("0", "1"), top1s, strict=True)
    ]
    path.write_text(json.dumps({"command": "measured", "rows": rows}))
    assert prior_table(path).splitlines()[:4] == [
        "| prior taken back | `x`, A (9) | `x`, B (9) | `y`, A (9) |",
        "| --- | --- | --- | --- |",
        "| 0 | 80.0 | 60.0 | 9.0 |",
        "| 1 | 50.0 | 70.0 | 8.0 |",
    ]
