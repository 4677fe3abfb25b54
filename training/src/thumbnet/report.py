"""Write docs/results.md and its pictures from results/*.json: `python -m thumbnet.report RESULTS DOCS`."""

import json
import sys
import tomllib
from pathlib import Path
from statistics import mean
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

from thumbnet.ablations import COMPARED, THOUSAND, ablation_table, transfer_table
from thumbnet.bytes_plot import draw_bytes
from thumbnet.card import PARTS, part_of
from thumbnet.codec_table import codec_table, lossless
from thumbnet.experiments import expand
from thumbnet.joint_table import JOINT, joint_table
from thumbnet.markdown import table
from thumbnet.prior_curve import prior_table
from thumbnet.seeds import Runs, points, read_runs, spread

pyplot.rcParams["svg.hashsalt"] = "thumbnet"  # the same data, the same bytes

LISTED = Path(__file__).parents[2] / "experiments.toml"
PAIRS = (  # (what it is, learned E, bicubic with the same losses, schedule and seeds)
    ("S, 56 px", "student-56", "student-56-bicubic"),
    ("S with a stride-1 stem, 56 px, E moved before", "student-56-moved-low-stride", "student-56-low-stride-bicubic"),
    ("S, 112 px", "student-112", "student-112-bicubic"),
    ("S, 56 px, moved gently from T's folded statistics", "student-56-gentle", "student-56-gentle-bicubic"),
    (
        "S with a stride-1 stem, 56 px, moved gently",
        "student-56-low-stride-gentle",
        "student-56-low-stride-gentle-bicubic",
    ),
    ("S with a stem of its own, 56 px, briefly", "ablation-full", "ablation-full-bicubic"),
    ("the same, trained on through WebP", "ablation-full-webp", "ablation-full-bicubic-webp"),
    (
        "the bicubic one for longer, and E trained with it through WebP",
        "ablation-full-joint-webp",
        "ablation-full-bicubic-webp-longer",
    ),
)
FURTHER = (  # rows without a bicubic run of the same schedule beside them
    ("S, 56 px, E trained with it", "student-56-joint"),
    ("S, 56 px, E moved by a short S before", "student-56-moved"),
    ("S with a stride-1 stem, 56 px", "student-56-low-stride"),
    ("S, 56 px, through WebP", "student-56-webp"),
    ("S with a stride-1 stem, 56 px, through WebP", "student-56-webp-low-stride"),
    ("S with a stride-1 stem, 56 px, tuned to the undisturbed E", "student-56-low-stride-tuned"),
    ("S with a stride-1 stem, 56 px, the gentle one trained on through WebP", "student-56-low-stride-webp"),
    ("S, 112 px, the averaged one trained on for ten classes", "student-112-imagenette"),
    ("S, 56 px, the gentle one trained on with mixed pictures and through WebP", "student-56-mixed"),
    ("S with a stride-1 stem, 56 px, likewise", "student-56-low-stride-mixed"),
    ("S with a stride-1 stem, 56 px, that one trained on for a thousand classes", "student-56-low-stride-thousand"),
    ("S with a stride-1 stem, 56 px, from T itself, thousand classes", "student-56-low-stride-wide"),
    (
        "S with a stride-1 stem, 56 px, the same, averaged, prior taken back",
        "student-56-low-stride-wide-both",
    ),
    ("S with a stem of its own, 56 px, which alone is trained, thousand classes, through WebP", "student-56-full"),
    ("S with a stem of its own, 56 px, all of it moved on", "student-56-full-moved"),
    ("S with a stem of its own, 56 px, the same, prior taken back", "student-56-full-prior"),
    ("S with a stem of its own, 56 px, moved on for longer, photos of more classes", "student-56-full-longer"),
    ("S with a stem of its own, 56 px, the same, prior taken back in part", "student-56-full-longer-part-prior"),
    ("S with a stem of its own, 112 px, which alone is trained, through WebP", "student-112-full"),
    ("S with a stem of its own, 112 px, the same for longer", "student-112-full-longer"),
    ("S with a stem of its own, 112 px, all of it moved on, photos of more classes", "student-112-full-moved"),
    ("S with a stem of its own, 112 px, the same, prior taken back", "student-112-full-prior"),
    ("S with a stem of its own, 112 px, moved on for longer", "student-112-full-moved-longer"),
    ("S, 112 px, longer", "student-112-long"),
    ("S, 112 px, longer, E behind a restorer", "student-112-longer"),
    ("S, 112 px, half of each batch from the pool, thousand classes", "student-112-pool"),
    ("S with a stride-1 stem, 56 px, the same", "student-56-low-stride-pool"),
    ("S, 112 px, moved gently from T's folded statistics, thousand classes", "student-112-gentle"),
    ("S, 112 px, the same, three quarters of the way (WiSE-FT)", "student-112-averaged"),
)
RESTORED = (
    ("E + D, 56 px", "downscaler-56"),
    ("bicubic + D, 56 px, same training", "downscaler-56-bicubic"),
    ("E + D, 56 px, trained on through WebP", "downscaler-56-webp"),
    ("bicubic + D, 56 px, trained on through WebP", "downscaler-56-webp-bicubic"),
    ("E + D, 56 px, E moved by a short S between", "downscaler-56-moved"),
    ("bicubic + D, 56 px, as short", "downscaler-56-moved-bicubic"),
    ("E + D, 112 px", "downscaler-112"),
    ("E + D, 112 px, D trained on through AVIF", "restorer-112-avif"),
    ("E + D, 56 px, D trained on through AVIF", "restorer-56-avif"),
    ("E + D, 56 px, trained on", "downscaler-56-longer"),
    ("E + D, 56 px, trained on through AVIF for fewer bytes", "downscaler-56-avif-rate"),
    ("E + D, 112 px, D trained on through AVIF again", "restorer-112-avif-longer"),
    ("E + D, 56 px, D twice as deep, phase 1 alone, for longer", "downscaler-56-rebuilt"),
    ("E + D, 56 px, D twice as deep, then by T's answers and maps", "downscaler-56-deep"),
    ("E + D, 56 px, D twice as deep, trained on through AVIF", "downscaler-56-deep-avif"),
    ("the E of downscaler-56-deep, D looks at the whole picture, photos of more classes", "restorer-56-context"),
    ("the same for longer", "restorer-56-context-longer"),
    ("the same for longer, D a half deeper", "restorer-56-deeper"),
    ("the former for longer, and E trained with it", "downscaler-56-context"),
)

CODEC_STUDENTS = {  # the same student and training on two kinds of thumbnails
    "ablation-full-webp": "S with a stem of its own on E's thumbnails",
    "ablation-full-bicubic-webp": "on bicubic ones",
    "ablation-full-bicubic-webp-longer": "on bicubic ones, for longer",
    "ablation-full-joint-webp": "the same, and an E trained through WebP with it, with a price on bits",
}


def accuracy_table(runs: Runs) -> str:
    """Top-1 and top-5 of T, Direct and every student, over all val photos and the two kinds of files apart."""
    head = ["network", "thumbnail", "steps", "top-1", "top-5", "lost to T", "top-1, `n0*`", "top-1, `ILSVRC2012_val_*`"]
    some = next(iter(runs.values()))[0]["result"]
    original = some["teacher"]["all"]["top1"]

    def line(label: str, thumbnail: str, steps: str, found: list[dict[str, Any]], part: str) -> list[str]:
        top1 = points(found, part)
        cells = [label, thumbnail, steps, spread(top1), spread(points(found, part, top="top5"))]
        cells.append("" if part == "teacher" else f"{original - mean(top1):.2f}")
        return cells + [spread(points(found, part, group)) for group in ("imagenet_train", "imagenet_val")]

    lines = [line("T (Original)", "224 px photo", "", [next(iter(runs.values()))[0]], "teacher")]
    for size in (112, 56):
        found = [r for group in runs.values() for r in group if r["options"]["size"] == size][:1]
        if found:
            lines.append(line("T (Direct)", f"bicubic {size} px", "", found, "direct"))
    for label, learned, bicubic in PAIRS:
        for name, thumbnail in ((learned, "E"), (bicubic, "bicubic")):
            if name in runs:
                steps = f"{runs[name][0]['options']['learn']['steps']} x {runs[name][0]['options']['learn']['batch']}"
                lines.append(line(label, thumbnail, steps, runs[name], "student"))
    for label, name in FURTHER:
        if name in runs:
            learn = runs[name][0]["options"]["learn"]
            lines.append(line(label, "E", f"{learn['steps']} x {learn['batch']}", runs[name], "student"))
    return table(head, lines)


def gain_table(runs: Runs, thousand: dict[str, str]) -> str:
    """E against bicubic under the same losses, schedule and seeds; `thousand`: what runs reach over all classes."""
    lines = []
    for label, learned, bicubic in PAIRS:
        if learned in runs and bicubic in runs:
            ours, theirs = points(runs[learned], "student"), points(runs[bicubic], "student")
            gain = f"**{mean(ours) - mean(theirs):+.2f}**"
            lines.append(
                [label, spread(ours), spread(theirs), gain, thousand.get(learned, ""), thousand.get(bicubic, "")]
            )
    return table(["", "E", "bicubic", "E gains (points of top-1)", f"E, {THOUSAND}", f"bicubic, {THOUSAND}"], lines)


def restored_table(runs: Runs, thousand: dict[str, str]) -> str:
    """The unmodified teacher behind the restorer."""
    lines = []
    for label, name in RESTORED:
        if name in runs:
            top1, top5 = (points(runs[name], "restored", top=top) for top in ("top1", "top5"))
            steps = " + ".join(
                f"{part['steps']} x {part['batch']}"
                for part in (runs[name][0]["options"][phase] for phase in ("reconstruct", "restore"))
                if part["steps"]
            )
            psnr = spread([r["result"]["psnr"] for r in runs[name]])
            lines.append([label, steps, spread(top1), spread(top5), thousand.get(name, ""), psnr])
    head = ["thumbnail, restored, into the unmodified T", "steps", "top-1", "top-5", THOUSAND, "PSNR (dB)"]
    return table(head, lines)


def unseen_table(path: Path) -> str:
    """Classifiers behind the restorer that it was not trained with; a line in its place if not measured."""
    if not path.is_file():
        return "Not measured yet: `python -m thumbnet.unseen`.\n"
    rows = json.loads(path.read_text())["rows"]
    seen = list(dict.fromkeys(r["seen"] for r in rows))
    lines = []
    for classifier, data in dict.fromkeys((r["classifier"], r["data"]) for r in rows):
        found = {r["seen"]: r for r in rows if (r["classifier"], r["data"]) == (classifier, data)}
        scores = [f"{found[s]['top1']:.1f} / {found[s]['top5']:.1f}" for s in seen]
        lost = found[seen[0]]["top1"] - found[seen[-1]]["top1"]
        lines.append([classifier, f"{data} ({found[seen[0]]['images']})", *scores, f"{lost:.1f}"])
    return table(["classifier, not fine-tuned", "photos", *seen, "lost"], lines)


def cost_table(models: Path, speed: dict[str, Any]) -> str:
    """What each network costs: counted, and measured by thumbnet.speed."""
    lines = []
    for name, measured in speed["models"].items():
        path = models / name / "card.json"
        card = json.loads(path.read_text()) if path.is_file() else speed.get("cards", {}).get(name, {})
        counted = (
            [f"{card['bytes'] / 1000:.0f}", f"{card['parameters']:,}", f"{card['flops'] / 1e6:.0f}"]
            if card
            else [""] * 3
        )
        lines.append([name, *counted, f"{measured['images_per_second']:.1f}", str(measured["peak_mib"])])
    return (
        table(["model", "file (KB)", "parameters", "multiply-adds (M)", "images/s", "peak memory (MiB)"], lines)
        + f"\n{speed['how']}; {speed['machine']}; "
        + ", ".join(f"{k} {v}" for k, v in speed["versions"].items())
        + ".\n"
    )


def heads_table(models: Path) -> str:
    """What reads each thumbnail, by cost: one file serves all of them."""
    cards = [json.loads(path.read_text()) for path in models.glob("*/card.json")]
    heads = [c for c in cards if c["role"] == "student"]
    names = {e["dataset"] for c in heads for e in c["evaluation"]}
    sets = sorted(names - {part_of(name, group) for name in names for group in PARTS})
    lines = []
    for card in sorted(heads, key=lambda c: (c["input"]["shape"][1], c["flops"])):
        measured = {e["dataset"]: f"{e['value']:.2f}" for e in card["evaluation"]}
        side = card["input"]["shape"][1]
        cells = [f"{side} px", card["name"], f"{card['flops'] / 1e6:.0f}", str(card["classes"])]
        lines.append(cells + [measured.get(name, "") for name in sets])
    return table(["thumbnail", "read by", "Mflop at the origin", "classes", *sets], lines)


def draw_curves(runs: Runs, path: Path) -> None:
    """Distillation loss of the students, E beside bicubic."""
    shown = [(label, learned, bicubic) for label, learned, bicubic in PAIRS if learned in runs or bicubic in runs]
    figure, axes = pyplot.subplots(1, len(shown), figsize=(4.2 * len(shown), 3.2), squeeze=False)
    for axis, (label, *names) in zip(axes[0], shown, strict=True):
        for name, colour in zip(names, ("tab:blue", "tab:orange"), strict=True):
            for run in runs.get(name, []):
                rows = [r for r in run["history"] if r["phase"] == "learn" and "kd" in r]
                axis.plot([r["step"] for r in rows], [r["kd"] for r in rows], color=colour, label=name, linewidth=1)
        axis.set(title=label, xlabel="step", ylabel="KD", yscale="log")
        axis.legend(frameon=False, fontsize=7)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def commands(runs: Runs) -> str:
    """How every run that stands in a table is made, as the list of experiments says."""
    names = [n for _, *pair in PAIRS for n in pair] + [n for _, n in RESTORED + FURTHER] + COMPARED + [JOINT]
    listed = {e["name"]: " ".join(e["options"].split()) for e in expand(tomllib.loads(LISTED.read_text())["run"])}
    lines = []
    for name in dict.fromkeys(names):
        for run in runs.get(name, []):
            one = f"{name}-seed{run['options'].get('seed', 0)}"
            one = one if one in listed else name
            lines += [
                f"    thumbnet train --out {{runs}}/{one} {listed[one]}",
                f"        # {run['result']['seconds']} s",
            ]
    return "\n".join(lines) + "\n"


def write_report(results: Path, docs: Path, models: Path) -> None:
    """Fill results/text.md's places with the tables."""
    runs = read_runs(results)
    speed = json.loads((results / "speed.json").read_text())
    bench = models.parent / "bench" / "results"
    thousand = lossless(results / "codec.json", "NIPS-2017")
    places = {
        "accuracy": accuracy_table(runs),
        "gain": gain_table(runs, thousand),
        "restored": restored_table(runs, thousand),
        "unseen": unseen_table(results / "unseen.json"),
        "losses": ablation_table(runs, "losses"),
        "downscalers": ablation_table(runs, "downscalers"),
        "restorers": ablation_table(runs, "restorers", thousand, "restored"),
        "thousand": ablation_table(runs, "thousand", thousand),
        "prior": prior_table(results / "prior.json"),
        "transfer": transfer_table(runs),
        "codec": codec_table(results / "codec.json", {name: label for label, name in RESTORED}),
        "codec-students": codec_table(results / "codec.json", CODEC_STUDENTS),
        "cost": cost_table(models, speed),
        "heads": heads_table(models),
        "joint": joint_table(runs, thousand),
        "commands": commands(runs),
        "bytes": draw_bytes(bench / "bytes-imagenette.json", docs / "results-bytes.svg"),
        "bytes-thousand": draw_bytes(bench / "bytes-thousand.json", docs / "results-bytes-thousand.svg"),
    }
    text = (results / "text.md").read_text()
    for name, value in places.items():
        text = text.replace(f"<!-- {name} -->\n", value)
    docs.mkdir(exist_ok=True)
    (docs / "results.md").write_text(text)
    draw_curves(runs, docs / "results-curves.svg")


if __name__ == "__main__":
    write_report(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[2]).parent / "models")
