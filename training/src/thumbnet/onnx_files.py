"""ONNX files: what is served, as one graph with uint8 in, weights kept as float16."""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from thumbnet.classifier import Classifier
from thumbnet.decoder import Decoder
from thumbnet.pixels import to_unit

OPSET = 18  # onnxruntime-web's CPU provider runs it whole


class ServedStudent(nn.Module):
    """S as it is served: thumbnail uint8 [N,s,s,3] -> logits float32 [N,classes]; normalisation inside."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, thumbnail: Tensor) -> Tensor:
        """Classify."""
        return self.classifier(to_unit(thumbnail).contiguous()).logits


class ServedRestorer(nn.Module):
    """D as it is served: thumbnail uint8 [N,s,s,3] -> photo uint8 [N,224,224,3]."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, thumbnail: Tensor) -> Tensor:
        """Rebuild the photo."""
        image = self.decoder(to_unit(thumbnail).contiguous())
        return (image * 255).round().clamp(0, 255).permute(0, 2, 3, 1).to(torch.uint8)


class RestoredTeacher(nn.Module):
    """An unmodified classifier behind the restorer: thumbnail uint8 [N,s,s,3] -> logits float32 [N,classes]."""

    def __init__(self, decoder: Decoder, teacher: Classifier) -> None:
        super().__init__()
        self.decoder, self.teacher = decoder, teacher

    def forward(self, thumbnail: Tensor) -> Tensor:
        """Rebuild and classify."""
        return self.teacher(self.decoder(to_unit(thumbnail).contiguous())).logits


def halve(module: nn.Module) -> None:
    """Round every trained weight of two or more dimensions to float16 precision, in place, as its file will hold it."""
    with torch.no_grad():
        for tensor in module.parameters():
            if tensor.dim() >= 2:
                tensor.copy_(tensor.half().float())


def to_onnx(module: nn.Module, side: int, names: tuple[str, list[str]]) -> onnx.ModelProto:
    """Trace a module with one input, uint8 [N,side,side,3] with a free batch size, into ONNX."""
    example = torch.randint(0, 256, (2, side, side, 3), dtype=torch.uint8)
    program = torch.onnx.export(
        module.eval().to(memory_format=torch.contiguous_format),
        (example,),
        input_names=[names[0]],
        output_names=names[1],
        opset_version=OPSET,
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    if program is None:
        raise RuntimeError("the exporter gave nothing back")
    return program.model_proto


def write_onnx(module: nn.Module, side: int, names: tuple[str, str], path: Path, round_weights: bool = False) -> None:
    """Write a served module (uint8 [N,side,side,3] in, one output) with a free batch size.

    Large initialisers that float16 holds exactly (see `halve`), or with `round_weights` all of them, are stored as
    float16 and cast to float32 in the graph: half the file, and runtimes fold the casts when they load it. Networks
    with batch normalisation need `round_weights`, for the exporter multiplies it into the convolutions.
    """
    model = to_onnx(module, side, (names[0], [names[1]]))
    del model.metadata_props[:]
    graph = model.graph
    for part in [*graph.node, *graph.input, *graph.output, *graph.value_info]:
        del part.metadata_props[:]  # the exporter's notes: paths of this machine, module names
        part.doc_string = ""
    _store_half(model, round_weights)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def read_weights(path: Path, prefix: str) -> dict[str, Tensor]:
    """Read the trained weights, float32, of the network called `prefix` in a file of `write_onnx`.

    Only of networks without batch normalisation: the exporter multiplies that into the convolutions.
    """
    found = {}
    for tensor in onnx.load(path).graph.initializer:
        name = tensor.name.removesuffix("_half")
        if name.startswith(f"{prefix}."):
            found[name.removeprefix(f"{prefix}.")] = torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float32))
    return found


def count_strided(path: Path) -> int:
    """How many convolutions of a file halve their maps."""
    nodes = [node for node in onnx.load(path).graph.node if node.op_type == "Conv"]
    strides = [a.ints[0] for node in nodes for a in node.attribute if a.name == "strides"]
    return sum(stride > 1 for stride in strides)


def side_read_by(path: Path) -> int:
    """How many pixels a side a file's images have, uint8 [N,side,side,3]."""
    return onnx.load(path).graph.input[0].type.tensor_type.shape.dim[1].dim_value


def _store_half(model: onnx.ModelProto, round_weights: bool) -> None:
    casts, kept = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.ndim < 2 or values.size < 256:
            kept.append(tensor)
            continue
        half = values.astype(np.float16)
        if not round_weights and not np.array_equal(half.astype(np.float32), values):
            kept.append(tensor)
            continue
        kept.append(numpy_helper.from_array(half, tensor.name + "_half"))
        casts.append(helper.make_node("Cast", [tensor.name + "_half"], [tensor.name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(casts + nodes)
    names = {c.output[0] for c in casts}
    infos = [v for v in model.graph.value_info if v.name not in names]
    del model.graph.value_info[:]
    model.graph.value_info.extend(infos)
