"""A whole run: photos, teacher's answers, the phases in order, evaluation, one figure."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from thumbnet.answers import teacher_answers
from thumbnet.atomic import save_atomically, write_atomically
from thumbnet.balance import chances_of
from thumbnet.beginning import begin, read_served
from thumbnet.classifier import load_teacher
from thumbnet.config import Config, Schedule, command_of, read_config
from thumbnet.distributed import Place, place_from_environment, require_same_progress
from thumbnet.evaluation import evaluate
from thumbnet.feed import Feed, Source, make_thumbnails
from thumbnet.figure import draw
from thumbnet.loop import Progress, fit
from thumbnet.networks import average_weights, build_networks, load_run
from thumbnet.photos import (
    NEVER_TRAINED_ON,
    ClassMap,
    Photos,
    read_class_map,
    read_folder,
    read_unlabelled,
    require_same_classes,
)
from thumbnet.plan import PHASES, planned
from thumbnet.prior import class_prior, take_back
from thumbnet.refusals import (
    checkpoint_of,
    inputs_of,
    require_every_class,
    require_options,
    require_own_outputs,
    require_same_class_map,
    require_same_inputs,
)
from thumbnet.versions import versions
from thumbnet.views import Views


class StoppedEarlyError(Exception):
    """Raised at `stop_at`, for tests of resuming."""


def classes_of(config: Config, photos: Photos) -> ClassMap:
    """Which teacher outputs the data's folders stand for."""
    if config.class_map:
        return read_class_map(config.class_map, photos.classes)
    return ClassMap(photos.classes, list(range(len(photos.classes))), photos.classes)


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
    schedules: list[Schedule] = [getattr(config, name) for name in PHASES]
    photos = read_folder(config.data / "train", config.cache, exclude=NEVER_TRAINED_ON)
    require_same_classes(photos, read_folder(config.data / "val", config.cache))
    require_every_class(photos, config.labelled_every)
    class_map = classes_of(config, photos)
    teacher = load_teacher(config.teacher, config.teacher_weights, config.teacher_classes)
    require_own_outputs(config, class_map, teacher)
    networks = build_networks(config, teacher)
    networks.downscaler.requires_grad_(not config.freeze_downscaler)
    labelled = Source(Views(photos, config.views, config.min_area), every=config.labelled_every)
    unlabelled = None
    if config.unlabelled and config.unlabelled_share > 0:
        further = read_unlabelled(config.unlabelled, config.cache, config.unlabelled_every)
        unlabelled = Source(Views(further, config.unlabelled_views, config.min_area))
        if config.balance:
            seen = teacher_answers(teacher, unlabelled.views, config.cache)
            unlabelled.chances = chances_of(seen.logits, config.balance)
    sources = [s for s in (labelled, unlabelled) if s]

    checkpoint, progress = config.out / "checkpoint.pt", Progress()
    inputs = inputs_of(photos, class_map, teacher)
    if unlabelled:
        inputs["unlabelled photos"] = unlabelled.views.photos.fingerprint
    begun = checkpoint_of(config, config.out)
    if begun.is_file():
        stored = torch.load(begun, map_location="cpu", weights_only=True)
        require_same_inputs(stored.get("inputs", {}), inputs, begun)
        progress = Progress(**stored["progress"])
        for name, module in networks.modules().items():
            module.load_state_dict(stored["networks"][name])
    else:
        read_served(config, networks, photos, class_map.outputs)
    require_same_progress(place, progress.phase, progress.step, config.out)

    def save() -> None:
        if place.first:
            states = {name: module.state_dict() for name, module in networks.modules().items()}
            save_atomically(checkpoint, {"progress": vars(progress), "networks": states, "inputs": inputs})

    while progress.phase < len(PHASES):
        name, schedule = PHASES[progress.phase], schedules[progress.phase]
        if name == "mapping" and not progress.step and not config.student:
            begin(networks.student, config, networks, teacher, photos)
        if schedule.steps:
            phase = planned(name, config, networks, teacher, class_map.outputs)
            for source in sources:
                if phase.answers:
                    with_maps = bool(config.weights.fm) and source is labelled
                    source.answers = teacher_answers(teacher, source.views, config.cache, with_maps)
                if not phase.images:
                    source.thumbnails = make_thumbnails(networks.downscaler, source.views, config.cache)
            feed = Feed(
                labelled, unlabelled, config.unlabelled_share, schedule.batch, [config.seed, progress.phase], place,
                whole_images=phase.images, with_maps=phase.maps,
                cutmix=config.cutmix if phase.mixed else 0.0, flip=config.flip and phase.mixed,
            )  # fmt: skip
            stop = stop_at[1] if stop_at and stop_at[0] == progress.phase else None
            groups = _groups(phase.module, phase.scales)
            finished = fit(name, phase.module, groups, schedule, feed, progress, place, save, stop)
            feed.close()
            if not finished:
                raise StoppedEarlyError
        progress.phase, progress.step = progress.phase + 1, 0
        save()

    if config.weight_average < 1:
        start = build_networks(config, teacher).student
        if not config.student:
            begin(start, config, networks, teacher, photos)
        average_weights(networks.student, start, config.weight_average)
    if config.prior:
        shares = (1 - config.unlabelled_share, config.unlabelled_share) if unlabelled else (1.0,)
        answered = [teacher_answers(teacher, source.views, config.cache).logits for source in sources]
        parts = list(zip(answered, shares, (source.chances for source in sources), strict=True))
        take_back(networks.student, class_prior(parts), config.prior)
    result: dict[str, Any] = {}
    if place.first:
        save_atomically(config.out / "models.pt", {n: m.state_dict() for n, m in networks.modules().items()})
        result = evaluate(config, networks, teacher, class_map)
        result["command"] = command_of(config)
        result["seconds"] = round(progress.seconds)
        result["steps"] = {n: s.steps for n, s in zip(PHASES, schedules, strict=True)}
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


def _groups(phase: nn.Module, scales: dict[str, float]) -> list[dict[str, Any]]:
    """Optimiser groups: parameters whose names begin as those of `scales` have its rates, the rest 1."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in phase.named_parameters():
        if parameter.requires_grad:
            scale = next((scale for prefix, scale in scales.items() if name.startswith(prefix)), 1.0)
            groups.setdefault(scale, []).append(parameter)
    return [{"params": params, "scale": scale} for scale, params in groups.items()]
