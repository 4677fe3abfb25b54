"""Lossy formats in the loop: what a receiver sees, what it costs, and that training reaches E through them."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from pictures import paint

from thumbnet.codec import TO_YCBCR, Rate, ThroughCodec, curve, decode, encode
from thumbnet.config import Codec, Config, Schedule
from thumbnet.pixels import to_bytes, to_unit
from thumbnet.run import train


@pytest.fixture
def thumbnails() -> np.ndarray:
    return np.stack([np.asarray(paint(n % 2, n).resize((56, 56))) for n in range(6)])


@pytest.mark.parametrize("image_format", ["webp", "jpeg", "avif"])
def test_a_receiver_sees_what_the_real_decoder_gives(thumbnails: np.ndarray, image_format: str) -> None:
    sent = to_unit(torch.from_numpy(thumbnails))
    seen = to_bytes(ThroughCodec(image_format, 40, 40, 1.0)(sent)).numpy()
    assert np.array_equal(seen, np.stack([decode(encode(t, image_format, 40)) for t in thumbnails]))


def test_the_share_that_stays_lossless_is_unchanged_and_each_draw_repeats(thumbnails: np.ndarray) -> None:
    sent = to_unit(torch.from_numpy(thumbnails))
    half = ThroughCodec("webp", 5, 20, 0.5)
    seen = half(sent)
    changed = (seen != sent).flatten(1).any(dim=1)
    assert 0 < int(changed.sum()) < len(sent)
    assert torch.equal(half(sent), seen)
    assert torch.equal(ThroughCodec("webp", 5, 20, 0.0)(sent), sent)


@pytest.mark.parametrize(("image_format", "share"), [("avif", 1.0), ("jpeg", 1.0), ("webp", 0.0)])
def test_gradients_pass_the_codec_unchanged(thumbnails: np.ndarray, image_format: str, share: float) -> None:
    sent = to_unit(torch.from_numpy(thumbnails)).requires_grad_()
    weights = torch.rand(sent.shape, generator=torch.Generator().manual_seed(0))
    (ThroughCodec(image_format, 5, 20, share)(sent) * weights).sum().backward()
    assert sent.grad is not None
    assert torch.equal(sent.grad, weights)


@pytest.mark.parametrize("size", [56, 7])
def test_of_what_webp_averages_gradients_ask_for_no_detail(size: int) -> None:
    sent = torch.rand((2, 3, size, size), generator=torch.Generator().manual_seed(0)).requires_grad_()
    seen = ThroughCodec("webp", 60, 60, 1.0)(sent)
    (seen[:, 2, 0, 0] - seen[:, 2, 0, 1]).sum().backward()  # the blue of two pixels that share their colour
    assert sent.grad is not None
    luma = torch.tensor(TO_YCBCR[0])
    assert torch.allclose(sent.grad[:, :, 0, 0], luma.expand(2, 3), atol=1e-6)
    assert torch.allclose(sent.grad[:, :, 0, 1], -luma.expand(2, 3), atol=1e-6)


def test_the_estimated_rate_orders_pictures_as_the_encoder_does(thumbnails: np.ndarray) -> None:
    soft = [np.asarray(paint(0, n).resize((14, 14)).resize((56, 56))) for n in range(6)]
    noise = list(np.random.default_rng(0).integers(0, 256, (6, 56, 56, 3), dtype=np.uint8))
    groups = [np.stack(group) for group in (soft, list(thumbnails), noise)]
    estimated = [float(Rate()(to_unit(torch.from_numpy(group)))) for group in groups]
    real = [next(iter(curve(group, "webp", [75])))[1] for group in groups]
    assert estimated == sorted(estimated)
    assert real == sorted(real)
    assert float(Rate()(torch.full((1, 3, 56, 56), 0.3))) == pytest.approx(0, abs=1e-5)


def test_a_run_pays_for_its_bytes_wherever_its_downscaler_is_trained(config: Config) -> None:
    joint = replace(config, weights=replace(config.weights, rate=0.1))
    train(joint)
    history = json.loads((joint.out / "history.json").read_text())
    assert {entry["phase"] for entry in history if "rate" in entry} == {"restore", "learn"}


def test_a_run_trains_through_a_codec(config: Config) -> None:
    nothing = Schedule(0, 4, 1e-3)
    plain = replace(config, mapping=nothing, learn=nothing)
    train(plain)
    lossy = replace(plain, out=config.out.with_name("lossy"))
    train(replace(lossy, codec=Codec(format="webp", lowest=10, highest=30, share=1.0)))
    stored = [torch.load(run.out / "models.pt", weights_only=True)["downscaler"] for run in (lossy, plain)]
    assert any(not torch.equal(stored[0][name], stored[1][name]) for name in stored[0])
