"""Write docs/results.md and its pictures from results/*.json: `python -m thumbnet.report RESULTS DOCS`."""

import json
import sys
import tomllib
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

from thumbnet.ablations import COMPARED, ablation_table, transfer_table
from thumbnet.bytes_plot import draw_bytes
from thumbnet.codec_table import codec_table, lossless
from thumbnet.experiments import expand
from thumbnet.joint_table import JOINT, joint_table
from thumbnet.model_tables import cost_table, heads_table, unseen_table
from thumbnet.prior_curve import prior_table
from thumbnet.rows import CODEC_STUDENTS, FURTHER, PAIRS, RESTORED
from thumbnet.run_tables import accuracy_table, gain_table, restored_table
from thumbnet.seeds import Runs, read_runs
from thumbnet.targets import targets_table

pyplot.rcParams["svg.hashsalt"] = "thumbnet"  # the same data, the same bytes

LISTED = Path(__file__).parents[2] / "experiments.toml"


def draw_curves(runs: Runs, path: Path) -> None:
    """Distillation loss of the students, E beside bicubic."""
    pairs = [(label, learned, bicubic) for label, learned, bicubic in PAIRS if learned in runs or bicubic in runs]
    figure, axes = pyplot.subplots(1, len(pairs), figsize=(4.2 * len(pairs), 3.2), squeeze=False)
    for axis, (label, *names) in zip(axes[0], pairs, strict=True):
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
        "targets": targets_table(models, runs, thousand),
        "accuracy": accuracy_table(runs),
        "gain": gain_table(runs, thousand),
        "restored": restored_table(runs, thousand),
        "unseen": unseen_table(results / "unseen.json"),
        "losses": ablation_table(runs, "losses"),
        "downscalers": ablation_table(runs, "downscalers"),
        "restorers": ablation_table(runs, "restorers", thousand, "restored"),
        "photos": ablation_table(runs, "photos"),
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
