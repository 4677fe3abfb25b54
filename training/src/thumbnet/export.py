"""Export a run into the models folder: ONNX files, measured again through onnxruntime, and their cards."""

from collections.abc import Callable

from thumbnet.export_downscaler import describe_downscaler, write_downscaler
from thumbnet.export_options import Export, Part
from thumbnet.export_refusals import require_parts
from thumbnet.export_restorer import write_fused, write_restorer
from thumbnet.export_student import write_student
from thumbnet.exporting import Exporting, load_exporting

PARTS: dict[Part, Callable[[Exporting], None]] = {  # in the order that they are written in
    "downscaler": write_downscaler,
    "student": write_student,
    "restorer": write_restorer,
    "fused": write_fused,
}


def export(options: Export) -> None:
    """Write the chosen parts; the downscaler's card lists the students in the repository that were made for it."""
    exporting = load_exporting(options)
    outputs = exporting.teacher.network.get_classifier().out_features
    require_parts(options, exporting.config, outputs, exporting.known)
    for part, write in PARTS.items():
        if part in options.parts:
            write(exporting)
        if part == "downscaler":
            exporting.require_own_downscaler()
    if options.parts != ("fused",):
        describe_downscaler(exporting)
