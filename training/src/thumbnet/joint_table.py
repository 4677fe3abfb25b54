"""What the readers of one E's thumbnails reach before and after E is trained for all of them."""

from typing import Any

from thumbnet.markdown import table
from thumbnet.seeds import Runs, Scores, shown

JOINT = "downscaler-56-joint"
RESTORED = "T behind the restorer"
READERS = (  # (who, the run before, which is also the name of the head)
    (RESTORED, "downscaler-56-deep"),
    ("S, 56 px", "student-56-mixed"),
    ("S with a stride-1 stem, 56 px", "student-56-low-stride-mixed"),
    ("S with a stride-1 stem, 56 px, thousand classes", "student-56-low-stride-wide-both"),
)


def joint_table(runs: Runs, thousand: Scores) -> str:
    """Top-1 in percent on Imagenette; of the restorer also what `thousand` says of its runs."""
    if JOINT not in runs:
        return "Not run yet: `downscaler-56-joint` in experiments.toml.\n"
    after = runs[JOINT][0]["result"]
    lines = []
    for who, name in READERS:
        if name not in runs:
            continue
        before: dict[str, Any] = runs[name][0]["result"]
        if who == RESTORED:
            pair = [before["restored"], after["restored"]]
            beside = [shown(thousand, name), shown(thousand, JOINT)]
        else:
            pair, beside = [before["student"], after["heads"][name]], ["", ""]
        lines.append([who, *(f"{found['all']['top1']:.2f}" for found in pair), *beside])
    return table(
        ["reader", "E for the restorer", "E for all", "E for the restorer, NIPS-2017", "E for all, NIPS-2017"], lines
    )
