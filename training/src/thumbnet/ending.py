"""What happens to a student after its last step: part of the way taken back, part of the prior forgotten."""

from thumbnet.answers import teacher_answers
from thumbnet.beginning import begin
from thumbnet.config import Config
from thumbnet.material import Material
from thumbnet.networks import average_weights, build_networks
from thumbnet.prior import class_prior, take_back


def end(config: Config, material: Material) -> None:
    """Average the student's weights with those it began with, and take the classes' frequency back, as configured."""
    student = material.networks.student
    if config.weight_average < 1:
        start = build_networks(config, material.teacher).student
        if not config.student:
            begin(start, config, material.networks, material.teacher, material.photos)
        average_weights(student, start, config.weight_average)
    if config.prior:
        shares = (1 - config.unlabelled_share, config.unlabelled_share) if material.unlabelled else (1.0,)
        parts = [
            (teacher_answers(material.teacher, source.views, config.cache).logits, share, source.chances)
            for source, share in zip(material.sources, shares, strict=True)
        ]
        take_back(student, class_prior(parts), config.prior)
