"""A run's configuration as the command that makes it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from thumbnet.config import Config


def command_of(config: Config, full_paths: bool = False) -> str:
    """Spell the command that makes this run: options that are not the defaults; folders by their last name."""
    default = asdict(Config(data=config.data, out=config.out))
    words = ["thumbnet train"]

    def add(prefix: str, values: dict[str, Any], standard: dict[str, Any]) -> None:
        for name, value in values.items():
            option = f"{prefix}{name}"
            if isinstance(value, dict):
                add(f"{option}.", value, standard[name])
            elif (value != standard[name] or option in ("data", "out")) and (full_paths or option != "cache"):
                flag = option.replace("_", "-")
                parts = value if isinstance(value, tuple) else (value,)
                shown = " ".join(
                    _tail(name, part) if isinstance(part, Path) and not full_paths else str(part) for part in parts
                )
                switch = f"--{flag}" if value else f"--{prefix}no-{name.replace('_', '-')}"
                words.append(switch if isinstance(value, bool) else f"--{flag} {shown}")

    add("", asdict(config), default)
    return " ".join(words)


def _tail(name: str, path: Path) -> str:
    return "/".join(path.parts[-2:]) if name in ("downscaler", "student", "heads") else path.name
