"""What a run works with: photos, the teacher and what it says of them, and the networks that are trained."""

import json
from dataclasses import dataclass
from functools import cached_property

from thumbnet import fingerprint
from thumbnet.answers import teacher_answers
from thumbnet.balance import chances_of
from thumbnet.class_map import ClassMap, classes_of
from thumbnet.classifier import Classifier, load_teacher
from thumbnet.config import Config
from thumbnet.feed import Source
from thumbnet.networks import Networks, build_networks
from thumbnet.photos import NEVER_TRAINED_ON, Photos, read_folder, read_unlabelled, require_same_classes
from thumbnet.refusals import require_every_class, require_own_outputs
from thumbnet.views import Views


@dataclass(frozen=True)
class Material:
    """All of it, as it is before a run's first step."""

    teacher: Classifier
    networks: Networks
    class_map: ClassMap
    labelled: Source
    unlabelled: Source | None

    @property
    def photos(self) -> Photos:
        """The labelled ones."""
        return self.labelled.views.photos

    @cached_property
    def inputs(self) -> dict[str, str]:
        """What a run learns from, beside its options: every checkpoint holds it."""
        inputs = {
            "photos": self.photos.fingerprint,
            "labels of photos": fingerprint.of_text(json.dumps(self.photos.labels.tolist())),
            "teacher": fingerprint.of_weights(self.teacher),
            "class map": self.class_map.fingerprint,
        }
        if self.unlabelled:
            inputs["unlabelled photos"] = self.unlabelled.views.photos.fingerprint
        return inputs

    @property
    def sources(self) -> list[Source]:
        """Both, or the labelled one."""
        return [source for source in (self.labelled, self.unlabelled) if source]


def gather_material(config: Config) -> Material:
    """Read and make what a run's configuration names. ValueError where it does not fit together."""
    photos = read_folder(config.data / "train", config.cache, exclude=NEVER_TRAINED_ON)
    require_same_classes(photos, read_folder(config.data / "val", config.cache))
    require_every_class(photos, config.labelled_every)
    class_map = classes_of(config, photos)
    teacher = load_teacher(config.teacher, config.teacher_weights, config.teacher_classes)
    require_own_outputs(config, class_map, teacher)
    networks = build_networks(config, teacher)
    networks.downscaler.requires_grad_(not config.freeze_downscaler)
    labelled = Source(Views(photos, config.views, config.min_area), every=config.labelled_every)
    return Material(teacher, networks, class_map, labelled, _unlabelled(config, teacher))


def _unlabelled(config: Config, teacher: Classifier) -> Source | None:
    if not config.unlabelled or config.unlabelled_share <= 0:
        return None
    further = read_unlabelled(config.unlabelled, config.cache, config.unlabelled_every)
    source = Source(Views(further, config.unlabelled_views, config.min_area))
    if config.balance:
        seen = teacher_answers(teacher, source.views, config.cache)
        source.chances = chances_of(seen.logits, config.balance)
    return source
