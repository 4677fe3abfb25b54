"""Golden vectors: a photo and what each downscaler makes of it: PyTorch, onnxruntime and the Worker must agree.

    python -m thumbnet.golden PHOTO MODELS OUT

writes OUT/photo.png (uint8 [224,224,3]) and OUT/<model>.onnxruntime.npy (uint8 [1,s,s,3]) for each downscaler in
MODELS; `thumbnet export` keeps PyTorch's own answer to the same photo beside it as OUT/<model>.pytorch.npy.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image
from torch import nn


def write_photo(photo: Path, out: Path) -> None:
    """Keep the 224x224 photo as PNG."""
    out.mkdir(parents=True, exist_ok=True)
    with Image.open(photo) as image:
        if image.size != (224, 224):
            raise ValueError(f"{photo}: expected 224x224 pixels, got {image.width}x{image.height}")
        image.convert("RGB").save(out / "photo.png", optimize=True)


def golden_photo(out: Path) -> np.ndarray:
    """Read the photo as uint8 [1,224,224,3]."""
    with Image.open(out / "photo.png") as image:
        return np.asarray(image.convert("RGB"))[None].copy()


def keep_pytorch(served: nn.Module, name: str, out: Path) -> None:
    """Keep PyTorch's thumbnail of the golden photo."""
    with torch.no_grad():
        thumbnail: torch.Tensor = served.eval()(torch.from_numpy(golden_photo(out)))
        np.save(out / f"{name}.pytorch.npy", np.asarray(thumbnail))


def main(photo: str, models: str, out: str) -> None:
    """Write photo and onnxruntime's thumbnails."""
    write_photo(Path(photo), Path(out))
    for card in sorted(Path(models).glob("*/card.json")):
        described = json.loads(card.read_text())
        if described["role"] == "downscaler":
            run = onnxruntime.InferenceSession(card.parent / "1" / "model.onnx", providers=["CPUExecutionProvider"])
            thumbnail = run.run(["thumbnail"], {"image": golden_photo(Path(out))})[0]
            np.save(Path(out) / f"{described['name']}.onnxruntime.npy", np.asarray(thumbnail))


if __name__ == "__main__":
    main(*sys.argv[1:])
