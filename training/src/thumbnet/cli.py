"""The command line: thumbnet train | evaluate | export."""

import json
from pathlib import Path
from typing import Annotated

import tyro

from thumbnet.config import Config, read_config
from thumbnet.export import export
from thumbnet.export_options import Export
from thumbnet.run import evaluate_run, train


def _train(config: Annotated[Config, tyro.conf.arg(name="")]) -> None:
    """Train a downscaler and a student for your teacher and photos; prints the result."""
    print(json.dumps(train(config), indent=1))


def _evaluate(run: tyro.conf.Positional[Path], data: Path | None = None) -> None:
    """Measure a finished run again, on its own val photos or those of another folder.

    Args:
        run: The run's folder.
        data: Folder with val/<class>/ photos (default: the run's).
    """
    print(json.dumps(evaluate_run(read_config(run / "config.json"), run, data), indent=1))


def _export(options: Annotated[Export, tyro.conf.arg(name="")]) -> None:
    """Write a finished run's networks as ONNX with card.json and config.pbtxt."""
    export(options)


def main() -> None:
    """Run a command."""
    tyro.extras.subcommand_cli_from_dict({"train": _train, "evaluate": _evaluate, "export": _export})
