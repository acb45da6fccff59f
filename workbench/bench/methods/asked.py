"""What was asked of a bench: kept in its folder, so that it goes on with nothing else."""

import re
from pathlib import Path

import msgspec
from msgspec import Struct

from workbench.runs.folder import write_whole
from workbench.spec.errors import RunError, UsageError, why

FILE = "asked.json"
_FACTORS = {"": 1, "k": 1_000, "M": 1_000_000}
_IMAGES = re.compile(r"([\d_,]+(?:\.\d+)?)\s*([kM]?)(?:\s*images?)?")
_MINUTES = re.compile(r"(\d+(?:\.\d+)?)\s*min(?:utes?)?")


class Budget(Struct, frozen=True, kw_only=True):
    """What each run may spend: training images seen (each with all its views), or minutes of training. One of them."""

    images: int = 0
    minutes: float = 0.0

    def __str__(self) -> str:
        return f"{self.minutes:g} min of training" if self.minutes else f"{self.images:,} images"


def parse_budget(text: str) -> Budget:
    """'200000', '200k' and '1.5M' are images, '10min' is time. Raises `UsageError`."""
    minutes, images = _MINUTES.fullmatch(text.strip()), _IMAGES.fullmatch(text.strip())
    if minutes and float(minutes.group(1)) > 0:
        return Budget(minutes=float(minutes.group(1)))
    if images:
        count = round(float(images.group(1).replace(",", "").replace("_", "")) * _FACTORS[images.group(2)])
        if count > 0:
            return Budget(images=count)
    raise UsageError(f"'{text}' is not a budget.", hint="Write images (200000, 200k) or minutes (10min).")


class Asked(Struct, frozen=True, kw_only=True):
    """What all runs of a bench have in common. `limit` 0 uses all images; `changes` are 'KEY=VALUE'.

    fine_tuning: training images that fine-tuning a run's encoder with labels may see; 0 for none.
    """

    folder: str
    backbone: str
    budget: Budget
    limit: int = 0
    fine_tuning: int = 0
    changes: tuple[str, ...] = ()


def claim(out: Path, asked: Asked) -> None:
    """Makes the folder of a bench, or goes on with it.

    Raises `UsageError` where it holds a bench of which something else was asked, `RunError` where it cannot be used.
    """
    file = out / FILE
    try:
        out.mkdir(parents=True, exist_ok=True)
        before = msgspec.json.decode(file.read_bytes(), type=Asked) if file.is_file() else None
        if before is None:
            write_whole(file, msgspec.json.format(msgspec.json.encode(asked)))
            return
    except msgspec.DecodeError as error:
        raise RunError(f"{file} cannot be read: {error}.", hint="Choose another folder with --out.") from error
    except OSError as error:
        raise RunError(f"{out} cannot be used: {why(error)}.", hint="Choose another folder with --out.") from error
    for name in Asked.__struct_fields__:
        old, new = getattr(before, name), getattr(asked, name)
        if old != new:
            raise UsageError(
                f"{out} holds a bench with another {name}: {_words(old)}, and now {_words(new)} was asked for.",
                hint="Runs of both could not stand in one table: choose another folder with --out.",
            )


def _words(value: object) -> str:
    return ", ".join(value) or "none" if isinstance(value, tuple) else str(value)
