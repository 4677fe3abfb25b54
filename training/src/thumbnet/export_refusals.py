"""What an export refuses before anything is written: served files would be overwritten by others that say less."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

from thumbnet.class_map import read_labels
from thumbnet.config import Config, read_config
from thumbnet.export_options import Export, Part


def require_parts(options: Export, config: Config, outputs: int, known: bool) -> None:
    """Refuse parts that there are not, and those that the run has not trained.

    `outputs`: how many the run's teacher has; `known`: whether it is known which of them the class folders stand for.
    """
    parts = get_args(Part)
    other = [part for part in options.parts if part not in parts]
    if other or not options.parts:
        raise ValueError(f"--parts takes {', '.join(parts)}, not {', '.join(other) or 'nothing'}")
    if "student" in options.parts:
        _require_student(options, config)
        if options.labels and not known:
            raise ValueError(f"--labels names the teacher's outputs, and {options.run} had no --class-map to tell them")
    if {"restorer", "fused"} & set(options.parts) and not (config.reconstruct.steps or config.restore.steps):
        raise ValueError(f"{options.run} has trained no restorer (--reconstruct.steps, --restore.steps): leave it out")
    if options.labels and (count := len(read_labels(options.labels))) != outputs:
        raise ValueError(f"{options.labels} has {count} lines and the teacher of {options.run} {outputs} outputs")
    if options.clean and not (options.clean / "labels.csv").is_file():
        raise ValueError(f"--clean {options.clean} has no labels.csv of file,class_index")
    if options.baseline:
        _require_same_but_for_thumbnails(config, options.baseline)


def _require_student(options: Export, config: Config) -> None:
    names = [path.name for path in config.heads]
    if options.head and options.head not in names:
        raise ValueError(f"{options.run} has no --head {options.head}, only {', '.join(names) or 'none'}")
    if not (config.restore.steps if options.head else config.learn.steps or config.mapping.steps):
        raise ValueError(
            f"{options.run} has trained no student (--learn.steps, --mapping.steps): choose other --parts, or one that "
            f"phase 2 has trained by --head ({', '.join(names) or 'none here'})"
        )
    if options.clean and not options.labels:
        raise ValueError("--clean measures over all of the teacher's classes: give --labels, so that S keeps them")


def _require_same_but_for_thumbnails(config: Config, baseline: Path) -> None:
    """Refuse a comparison with a run that differs in more than its thumbnails, and the student that it began with."""
    if not (baseline / "result.json").is_file():
        raise ValueError(f"--baseline {baseline} is no finished run: it has no result.json")
    other = read_config(baseline / "config.json")
    same = {name: getattr(config, name) for name in ("width", "downscaler", "student", "out", "cache", "threads")}
    other = replace(other, **same)
    differing = [f"--{name.replace('_', '-')}" for name, value in vars(config).items() if vars(other)[name] != value]
    if differing:
        raise ValueError(f"--baseline {baseline} is no run of the same training: {', '.join(differing)} differ")
