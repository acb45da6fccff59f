"""Checkpoints: everything that a run needs to go on as if it had never stopped."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from workbench.inspect.encoder import read_checkpoint
from workbench.runs.folder import RunFolder, put_in_place, write_whole
from workbench.spec.errors import RunError

LAST = "last.pt"
PREVIOUS = "previous.pt"
BEST = "best.pt"


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where training stands: `epoch` and `step` (within it) are the next to be done, counted from 0.

    `seconds` is the time spent training, for a run with a time limit.
    """

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0


def save_checkpoint(run: RunFolder, state: Mapping[str, Any]) -> Path:
    """Writes last.pt, and keeps the one before it as previous.pt. At every moment one of them is whole."""
    last = run.checkpoints / LAST
    content = pack(state)
    beside = run.checkpoints / "next.pt"
    write_whole(beside, content)
    if last.exists():
        put_in_place(last, run.checkpoints / PREVIOUS)
    put_in_place(beside, last)
    return last


def save_best(run: RunFolder, state: Mapping[str, Any]) -> Path:
    """Writes best.pt: the weights at the best probe, without what only a resume needs."""
    path = run.checkpoints / BEST
    kept = ("version", "method", "normalization", "epoch", "step", "accuracy")
    write_whole(path, pack({key: state[key] for key in kept if key in state}))
    return path


def load_checkpoint(run: RunFolder) -> tuple[dict[str, Any] | None, str]:
    """The newest checkpoint that is whole (None where there is none yet), and a warning where it is not the last.

    Raises `RunError` where there are checkpoints and every one is damaged.
    """
    problem: RunError | None = None
    for name in (LAST, PREVIOUS):
        path = run.checkpoints / name
        if not path.exists():
            continue
        try:
            state = read_checkpoint(path)
        except RunError as error:
            problem = problem or error
            continue
        return state, _fallback_words(problem, state) if problem else ""
    if problem:
        raise RunError(
            f"{problem.message} There is no other checkpoint to go back to.",
            hint=f"Delete {run.checkpoints / LAST} to train this run from the start.",
        ) from problem
    return None, ""


def has_checkpoint(run: RunFolder) -> bool:
    """Whether there is one to go on from, whole or damaged (`load_checkpoint` says which)."""
    return any((run.checkpoints / name).exists() for name in (LAST, PREVIOUS))


def is_last_whole(run: RunFolder) -> bool:
    """Whether last.pt can be read."""
    try:
        read_checkpoint(run.checkpoints / LAST)
    except RunError:
        return False
    return True


def random_state(device: torch.device) -> dict[str, torch.Tensor]:
    """The state of torch's generators, on the CPU and on `device`."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        state["mps"] = torch.mps.get_rng_state()
    return state


def restore_random_state(state: Mapping[str, torch.Tensor], device: torch.device) -> None:
    """The inverse; a checkpoint from another kind of device restores what the two have in common."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
    elif device.type == "mps" and "mps" in state:
        torch.mps.set_rng_state(state["mps"])


def pack(state: Mapping[str, Any]) -> bytes:
    """The checkpoint as bytes. In memory first: torch reports a full disk as an internal fault, Python by name."""
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    return buffer.getvalue()


def _fallback_words(problem: RunError, state: Mapping[str, Any]) -> str:
    return f"{problem.message} Training goes on from the checkpoint before it, after epoch {state['epoch']}."
