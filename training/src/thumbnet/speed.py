"""Speed and memory of T and S in onnxruntime on one CPU thread: `python -m thumbnet.speed MODELS OUT.json`.

Every network runs in a process of its own, in turns, so that a busy machine slows all alike; compare them with one
another, not with other machines.
"""

import json
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnxruntime

ROUNDS, REPEATS, BATCH = 5, 4, 8


def measure(path: Path) -> tuple[float, float]:
    """Images a second at batch 8, and peak resident MiB of a process that runs only this model."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    tensor = session.get_inputs()[0]
    pixels = np.random.default_rng(0).integers(0, 256, (BATCH, *tensor.shape[1:]), dtype=np.uint8)
    session.run(None, {tensor.name: pixels})
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        session.run(None, {tensor.name: pixels})
        times.append(time.perf_counter() - began)
    return BATCH / min(times), peak_mib()


def peak_mib() -> float:
    """Largest resident size of this process; getrusage would count what its parent held when it started this one."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def compare(models: dict[str, Path]) -> dict[str, Any]:
    """Measure all models in turns; median over the rounds."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in models}
    for _ in range(ROUNDS):
        for name, path in models.items():
            command = [sys.executable, "-m", "thumbnet.speed", "--one", str(path)]
            found[name].append(tuple(json.loads(subprocess.run(command, check=True, capture_output=True).stdout)))
    return {
        "models": {
            name: {
                "images_per_second": round(median(r for r, _ in rows), 1),
                "peak_mib": round(median(m for _, m in rows)),
            }
            for name, rows in found.items()
        },
        "how": f"onnxruntime, 1 thread, batch {BATCH}, best of {REPEATS} in each of {ROUNDS} processes, median",
        "machine": f"{platform.machine()} {platform.system()}, Python {platform.python_version()}",
        "versions": {name: version(name) for name in ("onnxruntime", "numpy")},
    }


def main(models: Path, out: Path) -> None:
    """Measure every classifier and downscaler of a model repository, and the teacher at 224 px."""
    from thumbnet.card import size_of
    from thumbnet.classifier import load_teacher
    from thumbnet.onnx_files import ServedStudent, write_onnx

    files = [path.parent / "1" / "model.onnx" for path in sorted(models.glob("*/card.json"))]
    paths = {file.parents[1].name: file for file in files if file.is_file()}  # ensembles have none
    teacher = out.with_suffix(".teacher.onnx")
    served = ServedStudent(load_teacher())
    write_onnx(served, 224, ("thumbnail", "logits"), teacher, round_weights=True)
    card = {"bytes": teacher.stat().st_size, **size_of(served, 224)}
    out.write_text(json.dumps(compare({"teacher": teacher} | paths) | {"cards": {"teacher": card}}, indent=1) + "\n")
    teacher.unlink()


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        print(json.dumps(measure(Path(sys.argv[2]))))
    else:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
