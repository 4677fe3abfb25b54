"""A picture of thumbnails: `python -m thumbnet.grid MODELS OUT.png PHOTO ...` (photos of 224x224 pixels).

A row for each photo: the photo, then at each size Pillow's bicubic thumbnail and E's, enlarged without smoothing.
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

SIDE, GAP = 224, 8


def panel(pixels: np.ndarray) -> Image.Image:
    """Enlarge uint8 [s,s,3] to 224x224, pixel by pixel."""
    return Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.NEAREST)


def grid(models: Path, photos: list[Path]) -> Image.Image:
    """Put all panels together."""
    rows = []
    sessions = {
        size: onnxruntime.InferenceSession(
            models / f"downscaler-{size}" / "1" / "model.onnx", providers=["CPUExecutionProvider"]
        )
        for size in (56, 112)
    }
    for path in photos:
        with Image.open(path) as file:
            photo = file.convert("RGB")
        panels = [photo]
        for size, session in sessions.items():
            panels.append(panel(np.asarray(photo.resize((size, size), Image.Resampling.BICUBIC))))
            panels.append(panel(np.asarray(session.run(None, {"image": np.asarray(photo)[None]})[0])[0]))
        rows.append(panels)
    columns = len(rows[0])
    sheet = Image.new("RGB", (columns * (SIDE + GAP) - GAP, len(rows) * (SIDE + GAP) - GAP), "white")
    for y, panels in enumerate(rows):
        for x, image in enumerate(panels):
            sheet.paste(image, (x * (SIDE + GAP), y * (SIDE + GAP)))
    return sheet


if __name__ == "__main__":
    grid(Path(sys.argv[1]), [Path(p) for p in sys.argv[3:]]).save(sys.argv[2], optimize=True)
