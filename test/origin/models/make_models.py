"""Makes the two models of the server's own tests (needs the PyPI package `onnx`): python make_models.py"""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

HERE = Path(__file__).parent
INT64, FLOAT = TensorProto.INT64, TensorProto.FLOAT


def save(name: str, graph: onnx.GraphProto) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, HERE / name / "1" / "model.onnx")


def echo() -> onnx.GraphProto:
    """Gives every row back: int64 [n, 2] -> float32 [n, 2], so that rows that are mixed up are seen."""
    return helper.make_graph(
        [helper.make_node("Cast", ["number"], ["same"], to=FLOAT)],
        "echo",
        [helper.make_tensor_value_info("number", INT64, ["n", 2])],
        [helper.make_tensor_value_info("same", FLOAT, ["n", 2])],
    )


def slow() -> onnx.GraphProto:
    """Multiplies 256x256 matrices as often as the batch's largest row says: int64 [n, 1] -> int64 [n, 1]."""
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["matrix_in", "matrix"], ["matrix_out"]),
            helper.make_node("Identity", ["go_in"], ["go_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("step", INT64, []),
            helper.make_tensor_value_info("go_in", TensorProto.BOOL, []),
            helper.make_tensor_value_info("matrix_in", FLOAT, [256, 256]),
        ],
        [
            helper.make_tensor_value_info("go_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("matrix_out", FLOAT, [256, 256]),
        ],
    )
    zero = helper.make_tensor("value", FLOAT, [1], [0.0])
    return helper.make_graph(
        [
            helper.make_node("ReduceMax", ["times"], ["most"], keepdims=0),
            helper.make_node("ConstantOfShape", ["size"], ["matrix"], value=zero),
            helper.make_node("Loop", ["most", "go", "matrix"], ["product"], body=body),
            helper.make_node("ReduceMax", ["product"], ["largest"], keepdims=0),
            helper.make_node("Cast", ["largest"], ["nothing"], to=INT64),
            helper.make_node("Add", ["times", "nothing"], ["done"]),
        ],
        "slow",
        [helper.make_tensor_value_info("times", INT64, ["n", 1])],
        [helper.make_tensor_value_info("done", INT64, ["n", 1])],
        [
            helper.make_tensor("size", INT64, [2], [256, 256]),
            helper.make_tensor("go", TensorProto.BOOL, [], [True]),
        ],
    )


if __name__ == "__main__":
    save("echo", echo())
    save("slow", slow())
