"""What can be said of a machine and of an experiment on it, as plain data."""

from typing import Literal

from msgspec import Struct


class Device(Struct, frozen=True, kw_only=True):
    """A device to train on: 'cpu', 'cuda:0', 'mps'. `memory` is in bytes, 0 where unknown."""

    name: str
    title: str
    memory: int


class Finding(Struct, frozen=True, kw_only=True):
    """One sentence of a check. An 'error' stops the run; `field` is a dotted path ('train.batch_size')."""

    level: Literal["error", "warning", "note"]
    message: str
    field: str = ""


class Measurement(Struct, frozen=True, kw_only=True):
    """A few real steps, measured. Bytes and seconds; `making_views` is the share of a step spent on views."""

    device: str
    images_per_second: float
    seconds_per_epoch: float
    memory: int
    memory_total: int
    making_views: float
