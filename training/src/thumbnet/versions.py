"""The packages that a run's numbers depend on."""

from importlib import metadata

PACKAGES = ("torch", "timm", "onnx", "onnxruntime", "numpy", "pillow")


def versions() -> dict[str, str]:
    """Those of this process, by name."""
    return {name: metadata.version(name) for name in PACKAGES}
