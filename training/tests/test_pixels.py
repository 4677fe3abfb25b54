import numpy as np
import pytest
import torch
from PIL import Image

from thumbnet.decoder import Decoder
from thumbnet.downscaler import Downscaler, ServedDownscaler
from thumbnet.pixels import quantise, to_bytes, to_unit


@pytest.mark.parametrize("size", [56, 112])
def test_an_untrained_downscaler_is_pillows_bicubic(photo: np.ndarray, size: int) -> None:
    ours = to_bytes(Downscaler(size)(to_unit(torch.from_numpy(photo.copy())[None])))[0].numpy().astype(int)
    theirs = np.asarray(Image.fromarray(photo).resize((size, size), Image.Resampling.BICUBIC)).astype(int)
    difference = np.abs(ours - theirs)
    assert difference.max() <= 3  # Pillow rounds and clamps to 8 bits between its two passes
    assert difference.mean() < 0.25


@pytest.mark.parametrize("size", [56, 112])
def test_a_flat_photo_gives_a_flat_thumbnail_up_to_the_border(size: int) -> None:
    flat = torch.full((1, 224, 224, 3), 200, dtype=torch.uint8)
    assert (ServedDownscaler(Downscaler(size))(flat) == 200).all()


def test_an_untrained_decoder_is_bicubic_enlarging_away_from_the_border(photo: np.ndarray) -> None:
    small = Image.fromarray(photo).resize((56, 56), Image.Resampling.BICUBIC)
    ours = to_bytes(Decoder(4)(to_unit(torch.from_numpy(np.array(small))[None])))[0].detach().numpy().astype(int)
    theirs = np.asarray(small.resize((224, 224), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(ours - theirs)[12:-12, 12:-12].max() <= 2


def test_served_downscaler_equals_the_one_in_training(photo: np.ndarray) -> None:
    torch.manual_seed(0)
    downscaler = Downscaler(56)
    torch.nn.init.normal_(downscaler.last.weight, std=0.1)
    image = torch.from_numpy(photo.copy())[None]
    assert torch.equal(ServedDownscaler(downscaler)(image), to_bytes(downscaler(to_unit(image))))


def test_quantise_rounds_to_bytes_and_lets_gradients_through_inside_the_range() -> None:
    values = torch.tensor([-0.2, 0.1234, 0.5, 0.9999, 1.3], requires_grad=True)
    levels = quantise(values)
    levels.sum().backward()
    assert torch.allclose(levels * 255, torch.tensor([0.0, 31.0, 128.0, 255.0, 255.0]), atol=1e-4)
    assert values.grad is not None
    assert values.grad.tolist() == [0, 1, 1, 1, 0]


def test_a_size_that_does_not_divide_the_photo_is_refused() -> None:
    with pytest.raises(ValueError, match="must divide 224"):
        Downscaler(100)
