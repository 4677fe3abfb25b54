"""Model cards (card.json) and Triton's config.pbtxt made from them: all that others know of a model."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

TRITON_TYPES = {"UINT8": "TYPE_UINT8", "FP32": "TYPE_FP32"}
MAX_BATCH = 64
PARTS = {"imagenet_train": "training", "imagenet_val": "validation"}  # by ImageNet's set that a photo's file was in


def part_of(dataset: str, group: str) -> str:
    """Name a part of a data set, as entries of a card's `evaluation` do; `group` is one of PARTS."""
    return f"{dataset}, files of ImageNet's {PARTS[group]} set"


def read_cards(models: Path) -> list[dict[str, Any]]:
    """Read the cards of a model repository, in the order of the models' names."""
    return [json.loads(path.read_text()) for path in sorted(models.glob("*/card.json"))]


def pixels(name: str, side: int) -> dict[str, Any]:
    """Describe an image tensor."""
    return {
        "name": name, "datatype": "UINT8", "shape": [-1, side, side, 3], "layout": "NHWC", "color": "RGB", 
        "range": [0, 255],
    }  # fmt: skip


def logits(classes: int) -> dict[str, Any]:
    """Describe a classifier's output."""
    return {"name": "logits", "datatype": "FP32", "shape": [-1, classes]}


def size_of(module: nn.Module, side: int) -> dict[str, int]:
    """Count parameters, and multiply-adds of convolutions and matrix products at batch 1 for uint8 [1,side,side,3]."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module.eval()(torch.zeros(1, side, side, 3, dtype=torch.uint8))
    return {
        "parameters": sum(p.numel() for p in module.parameters()),
        "flops": counter.get_total_flops() // 2,
    }


def write_card(folder: Path, card: dict[str, Any], labels: list[str] | None) -> None:
    """Write labels.txt, card.json and config.pbtxt beside 1/model.onnx, which must be there."""
    model = (folder / "1" / "model.onnx").read_bytes()
    card = card | {"sha256": sha256(model).hexdigest(), "bytes": len(model)}
    if labels is not None:
        (folder / "labels.txt").write_text("".join(f"{label}\n" for label in labels))
    (folder / "card.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    (folder / "config.pbtxt").write_text(triton_config(card))


def write_ensemble(folder: Path, card: dict[str, Any], labels: list[str]) -> None:
    """Write labels.txt, card.json and config.pbtxt of models that run one after the other: `card["steps"]`.

    They lie beside it, each with its own card. Git keeps no empty folder, so the version's holds an empty file.
    """
    steps = [json.loads((folder.parent / name / "card.json").read_text()) for name in card["steps"]]
    lines = "".join(f"{step['sha256']}\n" for step in steps)
    sizes = {key: sum(step[key] for step in steps) for key in ("bytes", "parameters", "flops")}
    (folder / "1").mkdir(parents=True, exist_ok=True)
    (folder / "1" / ".gitkeep").touch()
    (folder / "labels.txt").write_text("".join(f"{label}\n" for label in labels))
    card = card | sizes | {"sha256": sha256(lines.encode()).hexdigest()}
    (folder / "card.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    (folder / "config.pbtxt").write_text(triton_config(card, steps))


def triton_config(card: dict[str, Any], steps: list[dict[str, Any]] | None = None) -> str:
    """Render Triton's model configuration: onnxruntime backend, dynamic batching, labels; or an ensemble's steps."""

    def tensor(entry: dict[str, Any], extra: str = "") -> str:
        dims = ", ".join(str(d) for d in entry["shape"][1:])
        kind = TRITON_TYPES[entry["datatype"]]
        return f'  {{ name: "{entry["name"]}", data_type: {kind}, dims: [ {dims} ]{extra} }}'

    kind = 'platform: "ensemble"' if steps else 'backend: "onnxruntime"'
    labels = f', label_filename: "{card["labels"]}"' if card["labels"] else ""
    return (
        f'# Generated from card.json by `thumbnet export`.\nname: "{card["name"]}"\n'
        f"{kind}\n"
        f"max_batch_size: {MAX_BATCH}\n"
        f"input [\n{tensor(card['input'])}\n]\noutput [\n{tensor(card['output'], labels)}\n]\n"
        + (_scheduling(steps) if steps else "dynamic_batching { max_queue_delay_microseconds: 2000 }\n")
    )


def _scheduling(steps: list[dict[str, Any]]) -> str:
    """Chain the steps: each reads what the one before gives, under that one's name for it."""

    def step(number: int, card: dict[str, Any]) -> str:
        own = card["input"]["name"]
        given = steps[number - 1]["output"]["name"] if number else own
        output = card["output"]["name"]
        return (
            f'    {{ model_name: "{card["name"]}", model_version: -1,\n'
            f'      input_map {{ key: "{own}", value: "{given}" }},\n'
            f'      output_map {{ key: "{output}", value: "{output}" }} }}'
        )

    return "ensemble_scheduling {\n  step [\n" + ",\n".join(step(i, s) for i, s in enumerate(steps)) + "\n  ]\n}\n"
