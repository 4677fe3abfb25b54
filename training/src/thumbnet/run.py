"""A whole run: photos, teacher's answers, the phases in order, evaluation, one figure."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from thumbnet.answers import teacher_answers
from thumbnet.atomic import save_atomically, write_atomically
from thumbnet.beginning import begin
from thumbnet.checkpoint import require_same_class_map, resume, save
from thumbnet.class_map import classes_of
from thumbnet.command import command_of
from thumbnet.config import Config, read_config
from thumbnet.distributed import Place, place_from_environment, require_same_progress
from thumbnet.ending import end
from thumbnet.evaluation import evaluate
from thumbnet.feed import Feed, make_thumbnails
from thumbnet.figure import draw
from thumbnet.loop import Progress, fit, groups_of
from thumbnet.material import Material, gather_material
from thumbnet.networks import load_run
from thumbnet.photos import read_folder, require_same_classes
from thumbnet.plan import PHASES, planned
from thumbnet.refusals import require_options
from thumbnet.versions import versions


class StoppedEarlyError(Exception):
    """Raised at `stop_at`, for tests of resuming."""


def train(config: Config, stop_at: tuple[int, int] | None = None) -> dict[str, Any]:
    """Run all phases (going on from the run folder's checkpoint, if any) and return the result, also in result.json.

    `stop_at`: (phase, step) at which to save and raise StoppedEarlyError.
    """
    require_options(config)
    if config.threads:
        torch.set_num_threads(config.threads)
    with place_from_environment() as place:
        config.out.mkdir(parents=True, exist_ok=True)
        _keep_config(config, place)
        return _train(config, place, stop_at)


def _keep_config(config: Config, place: Place) -> None:
    path = config.out / "config.json"
    begun = any((config.out / name).is_file() for name in ("checkpoint.pt", "result.json"))
    if begun and path.is_file() and read_config(path) != config:  # a run may be older than an option
        raise ValueError(f"{config.out} holds a run with other options; choose another --out or remove it")
    if place.first:
        write_atomically(path, config.to_json())


def _train(config: Config, place: Place, stop_at: tuple[int, int] | None) -> dict[str, Any]:
    material = gather_material(config)
    progress = resume(config, material)
    require_same_progress(place, progress.phase, progress.step, config.out)
    while progress.phase < len(PHASES):
        stop = stop_at[1] if stop_at and stop_at[0] == progress.phase else None
        if not _train_phase(PHASES[progress.phase], config, material, progress, place, stop):
            raise StoppedEarlyError
        progress.phase, progress.step = progress.phase + 1, 0
        save(config, material, progress, place)
    end(config, material)
    return _report(config, material, progress) if place.first else {}


def _train_phase(
    name: str, config: Config, material: Material, progress: Progress, place: Place, stop: int | None
) -> bool:
    """Bring one phase from where it stands to its end; False if stopped before it."""
    networks, schedule = material.networks, getattr(config, name)
    if name == "mapping" and not progress.step and not config.student:
        begin(networks.student, config, networks, material.teacher, material.photos)
    if not schedule.steps:
        return True
    phase = planned(name, config, networks, material.teacher, material.class_map.outputs)
    for source in material.sources:
        if phase.answers:
            with_maps = bool(config.weights.fm) and source is material.labelled
            source.answers = teacher_answers(material.teacher, source.views, config.cache, with_maps)
        if not phase.images:
            source.thumbnails = make_thumbnails(networks.downscaler, source.views, config.cache)
    feed = Feed(
        material.labelled, material.unlabelled, config.unlabelled_share, schedule.batch, [config.seed, progress.phase],
        place, whole_images=phase.images, with_maps=phase.maps,
        cutmix=config.cutmix if phase.mixed else 0.0, flip=config.flip and phase.mixed,
    )  # fmt: skip
    groups = groups_of(phase.module, phase.scales)
    finished = fit(
        name, phase.module, groups, schedule, feed, progress, place,
        lambda: save(config, material, progress, place), stop,
    )  # fmt: skip
    feed.close()
    return finished


def _report(config: Config, material: Material, progress: Progress) -> dict[str, Any]:
    """Keep what was trained, measure it, draw it."""
    networks = material.networks
    save_atomically(config.out / "models.pt", networks.states())
    result = evaluate(config, networks, material.teacher, material.class_map)
    result["command"] = command_of(config)
    result["seconds"] = round(progress.seconds)
    result["steps"] = {name: getattr(config, name).steps for name in PHASES}
    result["versions"] = versions()
    write_atomically(config.out / "history.json", json.dumps(progress.history) + "\n")
    draw(progress.history, result, config.out / "figure.svg")
    write_atomically(config.out / "result.json", json.dumps(result, indent=1) + "\n")  # last: it says finished
    return result


def evaluate_run(config: Config, run: Path, data: Path | None = None) -> dict[str, Any]:
    """Measure the networks of a finished run on `data`/val, or its own. Both must hold the same class folders."""
    teacher, networks = load_run(config, run)
    own = read_folder(config.data / "val", config.cache)
    config = replace(config, data=data or config.data)
    require_same_classes(own, read_folder(config.data / "val", config.cache))
    class_map = classes_of(config, own)
    require_same_class_map(config, run, class_map)
    return evaluate(config, networks, teacher, class_map)
