"""What a run refuses before it costs anything: options that contradict each other, photos or runs that do not fit."""

from dataclasses import replace
from pathlib import Path

from thumbnet.class_map import ClassMap
from thumbnet.classifier import Classifier
from thumbnet.codec import FORMATS
from thumbnet.config import Codec, Config, read_config
from thumbnet.photos import Photos


def require_options(config: Config) -> None:
    """Refuse options that contradict each other."""
    if config.weight_average < 1 and (not config.folded or (config.student and config.student.is_dir())):
        raise ValueError("--weight-average needs --folded and a student of a run or of the teacher, not a served one")
    if config.stem_alone and not (config.stem_width and config.folded):
        raise ValueError("--stem-alone needs --stem-width and --folded, so that nothing else moves")
    if config.weights.fm and config.unlabelled and config.unlabelled_share > 0:
        raise ValueError("--weights.fm learns from the labelled photos alone: give it no --unlabelled")
    if config.weights.fm and (config.cutmix or config.flip):
        raise ValueError("--weights.fm maps features where they are in the photo: give it no --cutmix and no --flip")
    if config.balance and not (config.unlabelled and config.unlabelled_share > 0):
        raise ValueError("--balance draws among --unlabelled photos: give it some")
    for name in ("labelled_every", "unlabelled_every"):
        if getattr(config, name) < 1:
            raise ValueError(f"--{name.replace('_', '-')} takes every n-th photo: give it 1 or more")
    _require_own_options(config)
    _require_codec(config.codec)
    w = config.weights
    if config.mapping.steps and not (config.stem_width or w.fm or w.pooled):
        raise ValueError("--mapping.steps needs something to map: --weights.fm, --weights.pooled or --stem-width")
    if config.learn.steps and not (w.cl or w.kd or w.kd_all or w.fm or w.pooled):
        raise ValueError("--learn.steps needs a loss: --weights.cl, kd, kd-all, fm or pooled")
    if config.unlabelled:
        _require_unseen(config.unlabelled, config.data / "val")
    if config.ending_of:
        require_same_training(config, config.ending_of)


def _require_own_options(config: Config) -> None:
    """Refuse options that contradict each other, or would do nothing where they are."""
    trains_with_student = config.downscaler_lr > 0 and config.learn.steps > 0
    if config.freeze_downscaler and config.downscaler_lr > 0:
        raise ValueError("--freeze-downscaler leaves E as it is and --downscaler-lr trains it: give one of them")
    if config.weight_average < 1 and config.stem_width and not config.student and trains_with_student:
        raise ValueError(
            "--weight-average goes back to a stem fitted to the thumbnails of an E that --downscaler-lr has changed "
            "since: give it no --downscaler-lr, or a --student to start from"
        )
    if config.stem_width and (config.early_strides or config.arch):
        raise ValueError(
            "--stem-width stands for the teacher's layers above the thumbnail's size: give it no --early-strides and "
            "no --arch"
        )
    if config.teacher_classes != Config.teacher_classes and not config.teacher_weights:
        raise ValueError("--teacher-classes counts the outputs of a checkpoint: give it with --teacher-weights")
    trains_downscaler = trains_with_student or (config.restore.steps and not config.freeze_downscaler)
    if config.weights.rate and not (config.width and trains_downscaler):
        raise ValueError("--weights.rate asks an E for fewer bytes: train one, in phase 2 or by --downscaler-lr")
    names = [path.name for path in config.heads]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two --heads are called {', '.join(twice)}: give folders of different names")


def _require_codec(codec: Codec) -> None:
    """Refuse formats that there are not, and qualities that are none."""
    if codec.format and codec.format not in FORMATS:
        raise ValueError(f"--codec.format is {', '.join(FORMATS)}, not {codec.format}")
    if not 1 <= codec.lowest <= codec.highest <= 100:
        raise ValueError(
            f"--codec.lowest {codec.lowest} and --codec.highest {codec.highest} are no range of qualities in 1 to 100"
        )


def _require_unseen(pool: Path, val: Path) -> None:
    """Refuse to train on the photos that a run is measured on."""
    one, other = pool.resolve(), val.resolve()
    if one.is_relative_to(other) or other.is_relative_to(one):
        raise ValueError(f"--unlabelled {pool} shares photos with {val}, which the run is measured on: take others")


def require_every_class(photos: Photos, every: int) -> None:
    """Refuse to leave out so many labelled photos that a class has none."""
    missing = set(range(len(photos.classes))) - set(photos.labels[::every].tolist())
    if missing:
        names = ", ".join(photos.classes[label] for label in sorted(missing))
        raise ValueError(f"--labelled-every {every} leaves no photo of {names}: take more")


def require_same_training(config: Config, run: Path) -> None:
    """Refuse to end a run otherwise that is not finished, or was trained otherwise."""
    other = read_config(run / "config.json")
    own = replace(other, out=config.out, ending_of=run, weight_average=config.weight_average, prior=config.prior)
    if not (run / "result.json").is_file() or own != config:
        raise ValueError(f"{run} is no finished run of the same options but --weight-average and --prior")
    if not (run / "checkpoint.pt").is_file():
        raise ValueError(f"{run} holds no checkpoint.pt: end the run that was trained, not one that ended it otherwise")


def require_same_student(config: Config, path: Path) -> None:
    """Refuse a run's student of another shape where its config.json tells; other strides have the same weights."""
    told = path.with_name("config.json")
    if not told.is_file():
        return
    for name in ("arch", "early_strides", "stem_width", "stem_pairs", "folded"):
        theirs, own = (_of_student(name, c) for c in (read_config(told), config))
        if theirs != own:
            option = f"--{name.replace('_', '-')}"
            raise ValueError(f"{path} holds a student of {option} {theirs}, and this run says {own}: give the same")


def _of_student(option: str, config: Config) -> str | int | bool | None:
    """What an option makes of the student: the teacher's name is its own architecture, no stem has no pairs."""
    unused = {"arch": config.arch == config.teacher, "stem_pairs": not config.stem_width}
    return None if unused.get(option) else getattr(config, option)


def outputs_known(config: Config, class_map: ClassMap, teacher: Classifier) -> bool:
    """Whether it is known which of the teacher's outputs the class folders stand for: what it says of them is asked."""
    return bool(config.class_map) or len(class_map.outputs) == teacher.network.get_classifier().out_features


def require_own_outputs(config: Config, class_map: ClassMap, teacher: Classifier) -> None:
    """Refuse class folders that stand for no outputs of the teacher's, or not in a way that can be known."""
    outputs = teacher.network.get_classifier().out_features
    beyond = [str(output) for output in class_map.outputs if not 0 <= output < outputs]
    if beyond:
        raise ValueError(f"the class map names output {', '.join(beyond)} and {config.teacher} has 0 to {outputs - 1}")
    distils = config.learn.steps and (config.weights.kd or config.weights.kd_all)
    asks = {"distillation": distils, "--prior": config.prior, "--heads": config.heads}
    needs = [name for name, asked in asks.items() if asked]
    if needs and not outputs_known(config, class_map, teacher):
        raise ValueError(
            f"{config.data} has {len(class_map.folders)} class folders and {config.teacher} {outputs} outputs: say "
            f"with --class-map which is which, for {', '.join(needs)}; or learn from the labels alone (--weights.cl 1 "
            "--weights.kd 0 --weights.kd-all 0, no --prior, no --heads)"
        )
