from typing import Any

from thumbnet.ablations import ablation_table, transfer_table


def run(top1: float) -> dict[str, Any]:
    return {"result": {"student": {"all": {"top1": top1, "top5": 99.0}}}}


def test_rows_that_were_run_stand_in_the_table_with_their_seeds() -> None:
    table = ablation_table({"ablation-cl": [run(80.0), run(82.0)], "other": [run(1.0)]}, "losses")
    assert table.splitlines()[2:] == ["| CL | 81.00 (80.00 to 82.00, 2 seeds) | 99.00 (99.00 to 99.00, 2 seeds) |"]


def test_restorers_stand_with_what_they_reach_over_a_thousand_classes() -> None:
    restored = [{"result": {"restored": {"all": {"top1": 97.0, "top5": 99.0}}}}]
    table = ablation_table({"ablation-restorer": restored}, "restorers", {"ablation-restorer": [77.0]}, "restored")
    assert table.splitlines()[2:] == ["| E + D | 97.00 | 99.00 | 77.0 |"]


def test_a_transfer_is_compared_where_both_thumbnails_were_tried() -> None:
    runs = {"transfer-resnet": [run(70.0)], "transfer-mobilenet": [run(50.0)], "transfer-resnet-bicubic": [run(68.5)]}
    assert transfer_table(runs).splitlines()[2:] == ["| ResNet-18 | Imagenette | 70.00 | 68.50 | +1.50 |"]
