"""Fine-tunes a timm model on thumbnails, and says how many bytes they save.

python finetune.py thumbnails --originals photos --model mobilenetv3_small_100 --pretrained
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import timm
import torch
from thumbnails import Thumbnails
from torch import nn
from torch.utils.data import DataLoader, random_split


@dataclass(frozen=True)
class Settings:
    """How the model is trained. Batch normalisation wants batches of two or more."""

    model: str = "mobilenetv3_small_100"
    pretrained: bool = False
    size: int = 56
    epochs: int = 5
    batch: int = 64
    learning_rate: float = 1e-3
    held_out: float = 0.2
    seed: int = 0


def finetune(data: Thumbnails, settings: Settings) -> tuple[nn.Module, list[float], float]:
    """Trains on a part of `data` and tests on the rest.

    Returns the model (reads float32 [N,3,size,size], normalised as `normalise` does), the mean cross-entropy of each
    epoch, and the top-1 accuracy (0 to 1) on what was held out.
    """
    torch.manual_seed(settings.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = timm.create_model(settings.model, pretrained=settings.pretrained, num_classes=len(data.classes)).to(device)
    held_out = max(1, int(len(data) * settings.held_out))
    train, test = random_split(data, [len(data) - held_out, held_out])
    batches = DataLoader(train, settings.batch, shuffle=True, drop_last=len(train) > settings.batch)
    optimizer = torch.optim.AdamW(model.parameters(), settings.learning_rate)

    losses = []
    for _ in range(settings.epochs):
        model.train()
        sums = 0.0
        for pixels, labels in batches:
            loss = nn.functional.cross_entropy(model(normalise(pixels.to(device), model)), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            sums += loss.item()
        losses.append(sums / len(batches))
    return model, losses, accuracy(model, DataLoader(test, settings.batch), device)


@torch.inference_mode()
def accuracy(model: nn.Module, batches: DataLoader, device: str) -> float:
    """Top-1, 0 to 1."""
    model.eval()
    hits = [
        (model(normalise(pixels.to(device), model)).argmax(1) == labels.to(device)).float()
        for pixels, labels in batches
    ]
    return torch.cat(hits).mean().item()


def normalise(pixels: torch.Tensor, model: nn.Module) -> torch.Tensor:
    """From uint8 [N,3,H,W] to what the model was trained on, float32."""
    mean, std = (
        torch.tensor(model.pretrained_cfg[name], device=pixels.device).view(1, 3, 1, 1) for name in ("mean", "std")
    )
    return (pixels.float() / 255 - mean) / std


def saved(data: Thumbnails, originals: Path) -> str:
    """What the thumbnails have of the photos' bytes, as a sentence."""
    before = sum(path.stat().st_size for path in originals.rglob("*") if path.is_file())
    return f"{before} bytes of photos are {data.bytes()} bytes of thumbnails: {before / data.bytes():.1f} times fewer."


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("thumbnails", type=Path, help="a folder for each class")
    parser.add_argument("--originals", type=Path, help="the photos, to compare the bytes")
    parser.add_argument("--model", default=Settings.model, help="any timm name")
    parser.add_argument("--pretrained", action="store_true", help="start from timm's weights, which it downloads")
    parser.add_argument("--size", type=int, default=Settings.size)
    parser.add_argument("--epochs", type=int, default=Settings.epochs)
    parser.add_argument("--batch", type=int, default=Settings.batch)
    given = vars(parser.parse_args())
    folder, originals = given.pop("thumbnails"), given.pop("originals")
    data = Thumbnails(folder, given["size"])
    _, losses, top1 = finetune(data, Settings(**given))
    print(f"{len(data)} thumbnails of {len(data.classes)} classes")
    print(f"loss {losses[0]:.3f} -> {losses[-1]:.3f}, top-1 on the held-out part {top1:.1%}")
    if originals:
        print(saved(data, originals))


if __name__ == "__main__":
    main()
