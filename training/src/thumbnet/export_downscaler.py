"""E as it is served, and its card, which lists the students that were made for it."""

import json
from typing import Any

from thumbnet.card import pixels, read_cards, size_of, write_card
from thumbnet.downscaler import ServedDownscaler
from thumbnet.exporting import Exporting
from thumbnet.golden import keep_pytorch
from thumbnet.onnx_files import halve, write_onnx
from thumbnet.photos import SIDE


def write_downscaler(exporting: Exporting) -> None:
    """Write E's file; its card comes after the students' (`describe_downscaler`)."""
    halve(exporting.networks.downscaler)
    served = ServedDownscaler(exporting.networks.downscaler)
    if exporting.options.golden:
        keep_pytorch(served, exporting.downscaler, exporting.options.golden)
    write_onnx(served, SIDE, ("image", "thumbnail"), exporting.file(exporting.downscaler))


def describe_downscaler(exporting: Exporting) -> None:
    """Write E's card anew, with what its students and the restored teacher reach."""
    students = _students(exporting)
    evaluation = [
        entry | {"how": f"{card['name']} on this thumbnail; {entry['how']}"}
        for card in students
        for entry in card["evaluation"]
    ]
    folder = exporting.folder(exporting.downscaler)
    told: dict[str, Any] = {"training": exporting.told.training(), "limits": exporting.options.limits}
    if "downscaler" not in exporting.options.parts and (folder / "card.json").is_file():
        before = json.loads((folder / "card.json").read_text())  # another run made it
        told = {key: before[key] for key in told}
    card = exporting.told.card(exporting.downscaler, "downscaler", told["training"], evaluation) | {
        **told,
        "input": pixels("image", SIDE),
        "output": pixels("thumbnail", exporting.config.size),
        "preprocessing": {"size": SIDE, "filter": "bicubic", "fit": "fill"},
        "downscaler": None,
        "students": [card["name"] for card in students],
        **size_of(ServedDownscaler(exporting.networks.downscaler), SIDE),
    }
    write_card(folder, card, None)


def _students(exporting: Exporting) -> list[dict[str, Any]]:
    """Cards of the students that were trained on this very downscaler's thumbnails."""
    name, current = exporting.downscaler, exporting.downscaler_hash()
    cards = read_cards(exporting.options.models)
    named = [card for card in cards if card["role"] == "student" and card["downscaler"] == name]
    for card in named:
        if card["training"].get("downscaler_sha256") != current:
            print(f"{card['name']} was trained on another {name}: left out of its card, export it again")
    own = [card for card in named if card["training"].get("downscaler_sha256") == current]
    return sorted(own, key=lambda card: card["flops"])
