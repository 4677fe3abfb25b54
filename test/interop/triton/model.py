"""Triton's Python backend around onnxruntime: the one part that the CPU-only tritonserver of nvidia-pytriton lacks."""

import json

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """Runs the ONNX file that the configuration's parameter `onnx` names, all requests of a batch at once."""

    def initialize(self, args):
        config = json.loads(args["model_config"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.input = config["input"][0]["name"]
        self.output = config["output"][0]["name"]
        self.session = onnxruntime.InferenceSession(config["parameters"]["onnx"]["string_value"], options)

    def execute(self, requests):
        inputs = [pb_utils.get_input_tensor_by_name(request, self.input).as_numpy() for request in requests]
        (outputs,) = self.session.run([self.output], {self.input: np.concatenate(inputs)})
        ends = np.cumsum([len(rows) for rows in inputs])
        return [
            pb_utils.InferenceResponse([pb_utils.Tensor(self.output, rows)])
            for rows in np.split(outputs, ends[:-1])
        ]
