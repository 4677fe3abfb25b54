"""S as it is served, and its card."""

from thumbnet.card import pixels, size_of, write_card
from thumbnet.class_map import read_labels
from thumbnet.classifier import Classifier, keep_classes, strided
from thumbnet.exporting import Exporting, said_of
from thumbnet.onnx_files import ServedStudent, write_onnx
from thumbnet.stem import has_stem


def write_student(exporting: Exporting) -> None:
    """Write the run's student, or that of its heads which the options name."""
    options, size, outputs = exporting.options, exporting.config.size, exporting.class_map.outputs
    student = exporting.networks.heads[options.head] if options.head else exporting.networks.student
    kind = options.kind or _kind(exporting, student)
    if options.labels:
        labels = read_labels(options.labels)
    else:
        labels = exporting.class_map.labels
        keep_classes(student, outputs)
        outputs = list(range(len(labels)))
    name, served = f"student-{size}{options.suffix}", ServedStudent(student)
    write_onnx(served, size, ("thumbnail", "logits"), exporting.file(name), round_weights=True)
    files = [exporting.file(exporting.downscaler), exporting.file(name)]
    evaluation = exporting.told.evaluation(files, outputs, len(labels), "student")
    card = exporting.told.card(name, "student", exporting.training(), evaluation) | {
        "input": pixels("thumbnail", size),
        "head": kind,
        **said_of(labels),
        **size_of(served, size),
    }
    write_card(exporting.folder(name), card, labels)


def _kind(exporting: Exporting, student: Classifier) -> str:
    """What callers choose it by: the resolution that its first layers keep."""
    if has_stem(student):
        return "student-full"
    halving, usual = (len(strided(classifier.network)) for classifier in (student, exporting.teacher))
    return "student-low-stride" if not exporting.config.arch and halving < usual else "student"
