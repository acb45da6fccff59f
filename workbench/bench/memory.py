"""What a training step gains on the CPU where freed memory is kept: two processes take turns at the same step."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import torch
from torch.nn import functional

from workbench.bench.harness import Result, rate, take_turns
from workbench.catalog.registry import load_registry
from workbench.method.backbone import BackboneRequest
from workbench.spec.progress import Report
from workbench.training.heap import keep_freed_memory

_BATCH = 256
_SIZE = 32
_BACKBONES = ("tinyconv", "resnet10t", "vit_nano")

_step: Callable[[], int]
"""Of this process, once `_begin` was called in it."""


def run(*, quick: bool, report: Report) -> list[Result]:
    """Supervised steps of small networks, forward, backward and update; the rest of the program is not in them."""
    return [_run(backbone, quick=quick, report=report) for backbone in _BACKBONES]


def _run(backbone: str, *, quick: bool, report: Report) -> Result:
    seconds = 3.0 if quick else 10.0
    with _process(backbone, keep=False) as usual, _process(backbone, keep=True) as keeping:
        contenders = {
            "memory given back": lambda: usual.submit(_rate, seconds).result(),
            "memory kept": lambda: keeping.submit(_rate, seconds).result(),
        }
        rows = take_turns(contenders, rounds=3 if quick else 5, report=report)
    return Result(
        name="memory",
        title=f"Training steps of {backbone} at {_SIZE} px on the CPU, freed memory given back or kept",
        unit="images/s",
        rows=rows,
        notes=(f"batch {_BATCH}, {torch.get_num_threads()} threads; only glibc gives memory back at once",),
    )


def _process(backbone: str, *, keep: bool) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=partial(_begin, backbone, keep=keep))


def _begin(backbone: str, *, keep: bool) -> None:
    global _step  # One per process, which is there for nothing else.
    if keep:
        keep_freed_memory()
    torch.manual_seed(0)
    encoder = load_registry().backbone(backbone).build(BackboneRequest(channels=3, image_size=_SIZE, stem="small"))
    optimizer = torch.optim.AdamW(encoder.parameters())
    images, targets = torch.rand(_BATCH, 3, _SIZE, _SIZE), torch.randint(10, (_BATCH,))

    def step() -> int:
        optimizer.zero_grad()
        functional.cross_entropy(encoder(images), targets).backward()
        optimizer.step()
        return _BATCH

    _step = step


def _rate(seconds: float) -> float:
    return rate(_step, seconds=seconds)
