"""Short runs of equal budgets beside each other: which losses, which E, and other students than T's architecture."""

from thumbnet.markdown import table
from thumbnet.seeds import Runs, Scores, gain, points, shown, spread

THOUSAND = "top-1, NIPS-2017 (500)"
ABLATIONS = {
    "losses": (
        ("CL", "ablation-cl"),
        ("CL + MM", "ablation-cl-mm"),
        ("CL + MM + KD", "ablation-cl-mm-kd"),
        ("CL + MM + KD + FM, S pre-trained by FM", "ablation-cl-mm-kd-fm"),
    ),
    "downscalers": (
        ("bicubic", "ablation-e-bicubic"),
        ("E, phase 1 alone", "ablation-e-reconstructed"),
        ("E, phases 1 and 2", "ablation-e-restored"),
        ("the same, S from T's folded statistics", "ablation-s-folded"),
    ),
    "restorers": (
        ("bicubic + D", "ablation-restorer-bicubic"),
        ("E + D", "ablation-restorer"),
        ("bicubic + D, longer phase 1, T's maps", "ablation-rebuilt-bicubic"),
        ("E + D, longer phase 1, T's maps", "ablation-rebuilt"),
        ("bicubic + D, the same for longer", "ablation-rebuilt-longer-bicubic"),
        ("E + D, the same for longer", "ablation-rebuilt-longer"),
        ("the E that ships + a D of its own, trained as the third row's", "ablation-restorer-shipped"),
        ("bicubic + a deeper D, for far longer", "ablation-restorer-deep-bicubic"),
        ("the E that ships + the same", "ablation-restorer-deep"),
        ("E and the deeper D of downscaler-56-rebuilt, phase 2: T's answers", "ablation-restorer-kd"),
        ("the same, phase 2: T's answers and maps", "ablation-restorer-stages"),
    ),
    "photos": (
        ("every fourth photo", "ablation-photos-4"),
        ("every second", "ablation-photos-2"),
        ("all", "ablation-photos-1"),
    ),
    "thousand": (
        ("from a student of ten classes, 3,200 steps", "student-56-low-stride-thousand"),
        ("from T itself, 1,500 steps", "student-56-low-stride-wide"),
        ("the same, prior taken back", "student-56-low-stride-wide-prior"),
        ("the same, three quarters of the way (WiSE-FT)", "student-56-low-stride-wide-averaged"),
        ("the same, both", "student-56-low-stride-wide-both"),
        ("with a stem of its own, which alone is trained", "student-56-full"),
        ("the same, all of it moved on", "student-56-full-moved"),
        ("the same, prior taken back", "student-56-full-prior"),
        ("moved on for longer instead, photos of more classes", "student-56-full-longer"),
    ),
}
TRANSFER = (
    ("MobileNetV3-small", "Imagenette", "transfer-mobilenet"),
    ("MobileNetV3-small", "flowers5", "transfer-mobilenet-flowers"),
    ("ResNet-18", "Imagenette", "transfer-resnet"),
    ("ResNet-18", "flowers5", "transfer-resnet-flowers"),
)
COMPARED = [name for rows in ABLATIONS.values() for _, name in rows] + [
    name for _, _, learned in TRANSFER for name in (learned, f"{learned}-bicubic")
]


def ablation_table(runs: Runs, what: str, thousand: Scores | None = None, part: str = "student") -> str:
    """Top-1 and top-5 of each row that was run, and what `thousand` says of it; `part` may be `restored`, too."""
    lines = [
        [label, spread(points(runs[name], part)), spread(points(runs[name], part, top="top5"))]
        + ([shown(thousand, name)] if thousand is not None else [])
        for label, name in ABLATIONS[what]
        if name in runs
    ]
    return table(["", "top-1", "top-5", *([THOUSAND] if thousand is not None else [])], lines)


def transfer_table(runs: Runs) -> str:
    """Students that were trained on a frozen E's thumbnails against the same on bicubic ones."""
    lines = []
    for arch, data, name in TRANSFER:
        if name in runs and f"{name}-bicubic" in runs:
            ours, theirs = points(runs[name], "student"), points(runs[f"{name}-bicubic"], "student")
            lines.append([arch, data, spread(ours), spread(theirs), f"{gain(ours, theirs).middle:+.2f}"])
    return table(["student, from scratch", "photos", "E", "bicubic", "E gains (points of top-1)"], lines)
