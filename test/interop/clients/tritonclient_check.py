"""Talks to a server with NVIDIA's own client and compares every answer with onnxruntime-free facts: python ... HOST:PORT MODEL LABELS."""

import itertools
import sys

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

CODINGS = (None, "gzip", "deflate")


def images(count: int, seed: int) -> np.ndarray:
    """Noise: uint8 [count, 56, 56, 3]."""
    return np.random.default_rng(seed).integers(0, 256, (count, 56, 56, 3), np.uint8)


class Check:
    """One client and one model; every method asserts."""

    def __init__(self, address: str, model: str, labels: list[str]) -> None:
        self.client = InferenceServerClient(address)
        self.model = model
        self.labels = labels

    def infer(self, pixels: np.ndarray, *, binary_in=True, binary_out=True, classes=0, request=None, response=None):
        """Run one inference in the form that is asked for."""
        tensor = InferInput("thumbnail", list(pixels.shape), "UINT8")
        tensor.set_data_from_numpy(pixels, binary_data=binary_in)
        output = InferRequestedOutput("logits", binary_data=binary_out, class_count=classes)
        result = self.client.infer(
            self.model, [tensor], outputs=[output], request_id="an-id",
            request_compression_algorithm=request, response_compression_algorithm=response,
        )  # fmt: skip
        assert result.get_response()["id"] == "an-id"
        return result.as_numpy("logits")

    def forms(self) -> int:
        """Every form gives the same logits, alone and in a batch that is large enough to be compressed."""
        checked = 0
        for count in (1, 40):
            pixels = images(count, seed=count)
            expected = self.infer(pixels)
            assert expected.shape == (count, len(self.labels)) and expected.dtype == np.float32
            for binary_in, binary_out, request, response in itertools.product((True, False), (True, False), CODINGS, CODINGS):
                form = {"binary_in": binary_in, "binary_out": binary_out, "request": request, "response": response}
                np.testing.assert_allclose(self.infer(pixels, **form), expected, atol=1e-5, err_msg=str(form))
                checked += 1
        return checked

    def batches(self) -> None:
        """A row's logits do not depend on its neighbours."""
        pixels = images(5, seed=7)
        alone = np.concatenate([self.infer(row[None]) for row in pixels])
        np.testing.assert_allclose(self.infer(pixels), alone, atol=1e-4)

    def classification(self) -> None:
        """The extension names the largest logits, best first."""
        pixels = images(2, seed=3)
        logits = self.infer(pixels)
        for binary_out in (True, False):
            rows = self.infer(pixels, classes=3, binary_out=binary_out)
            assert rows.shape == (2, 3)
            for row, scores in zip(rows, logits, strict=True):
                for entry, index in zip(row, np.argsort(-scores)[:3], strict=True):
                    text = entry.decode() if isinstance(entry, bytes) else entry
                    value, number, label = text.split(":")
                    assert int(number) == index and label == self.labels[index], text
                    assert abs(float(value) - scores[index]) < 1e-4, text

    def description(self) -> None:
        """Health, metadata and statistics in the client's own terms."""
        assert self.client.is_server_live() and self.client.is_server_ready()
        assert self.client.is_model_ready(self.model) and self.client.is_model_ready(self.model, "1")
        assert not self.client.is_model_ready("nope") and not self.client.is_model_ready(self.model, "9")
        assert "binary_tensor_data" in self.client.get_server_metadata()["extensions"]
        metadata = self.client.get_model_metadata(self.model)
        assert metadata["inputs"] == [{"name": "thumbnail", "datatype": "UINT8", "shape": [-1, 56, 56, 3]}]
        assert metadata["outputs"] == [{"name": "logits", "datatype": "FP32", "shape": [-1, len(self.labels)]}]
        (statistics,) = self.client.get_inference_statistics(self.model)["model_stats"]
        assert statistics["inference_count"] > 0 and statistics["inference_stats"]["success"]["count"] > 0

    def errors(self) -> None:
        """Mistakes reach the caller as exceptions with status and message."""
        for pixels, model, status in (
            (images(1, 0), "nope", "404"),
            (images(1, 0)[:, :, :40], self.model, "400"),
            (images(1000, 0), self.model, "400"),
        ):
            tensor = InferInput("thumbnail", list(pixels.shape), "UINT8")
            tensor.set_data_from_numpy(pixels)
            try:
                self.client.infer(model, [tensor])
            except InferenceServerException as error:
                assert error.status() == status and error.message(), error
            else:
                raise AssertionError(f"{model} {pixels.shape} was accepted")


def main() -> None:
    """Run everything; the exit code tells."""
    address, model, label_file = sys.argv[1:]
    with open(label_file, encoding="utf-8") as file:
        check = Check(address, model, file.read().splitlines())
    forms = check.forms()
    check.batches()
    check.classification()
    check.description()
    check.errors()
    print(f"{forms} forms agree")


if __name__ == "__main__":
    main()
