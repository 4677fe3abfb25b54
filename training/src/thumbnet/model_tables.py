"""Tables of the files in models/: what they cost, what they answer, and what others see behind the restorer."""

import json
from pathlib import Path
from typing import Any

from thumbnet.card import PARTS, part_of, read_cards
from thumbnet.markdown import table


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
    heads = [c for c in read_cards(models) if c["role"] == "student"]
    names = {e["dataset"] for c in heads for e in c["evaluation"]}
    sets = sorted(names - {part_of(name, group) for name in names for group in PARTS})
    lines = []
    for card in sorted(heads, key=lambda c: (c["input"]["shape"][1], c["flops"])):
        measured = {e["dataset"]: f"{e['value']:.2f}" for e in card["evaluation"]}
        side = card["input"]["shape"][1]
        cells = [f"{side} px", card["name"], f"{card['flops'] / 1e6:.0f}", str(card["classes"])]
        lines.append(cells + [measured.get(name, "") for name in sets])
    return table(["thumbnail", "read by", "Mflop at the origin", "classes", *sets], lines)
