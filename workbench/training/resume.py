"""What a checkpoint of a training holds: written as it stands, and put back where it goes on."""

from typing import Any

import torch

from workbench.augment.normalize import Normalization
from workbench.runs.events import Warned
from workbench.runs.folder import RunFolder
from workbench.spec.errors import RunError
from workbench.training.checkpoint import Position, load_checkpoint, random_state, restore_random_state
from workbench.training.journal import Journal
from workbench.training.meter import Meter
from workbench.training.ranks import Ranks
from workbench.training.step import Stepper

FORMAT = 1


def state_of(
    stepper: Stepper,
    meter: Meter,
    normalization: Normalization,
    position: Position,
    *,
    step: int,
    train_images: int,
) -> dict[str, Any]:
    """The checkpoint of this moment; step: over all epochs."""
    return {
        "version": FORMAT,
        "method": stepper.method.state_dict(),
        "optimizer": stepper.optimizer.state_dict(),
        "scaler": stepper.scaler.state_dict(),
        "rng": random_state(stepper.device),
        "normalization": {"mean": normalization.mean.tolist(), "std": normalization.std.tolist()},
        "epoch": position.epoch,
        "step": step,
        "epoch_step": position.step,
        "seconds": position.seconds,
        "loss_sum": meter.whole.detach().cpu(),
        "loss_steps": meter.whole_steps,
        "train_images": train_images,
    }


def take_up(
    run: RunFolder, stepper: Stepper, meter: Meter, *, normalization: Normalization, ranks: Ranks, journal: Journal
) -> Position | None:
    """Puts everything back as the last checkpoint has it; None where there is none.

    Raises `RunError` where it does not fit the experiment.
    """
    state, warning = load_checkpoint(run)
    if warning:
        journal.tell(Warned(message=warning))
    if state is None:
        return None
    try:
        stepper.method.load_state_dict(state["method"], strict=True)
        stepper.optimizer.load_state_dict(state["optimizer"])
        if stepper.scaler.is_enabled():
            stepper.scaler.load_state_dict(state["scaler"])
        if ranks.leads:  # The others keep generators of their own, so that dropout differs between them.
            restore_random_state(state["rng"], stepper.device)
        # The images may have changed since; what the network expects has not.
        normalization.mean.copy_(torch.tensor(state["normalization"]["mean"]))
        normalization.std.copy_(torch.tensor(state["normalization"]["std"]))
        meter.whole = state["loss_sum"].to(stepper.device)
        meter.whole_steps = int(state["loss_steps"])
        return Position(epoch=state["epoch"], step=state["epoch_step"], seconds=state["seconds"])
    except (KeyError, RuntimeError, ValueError, TypeError) as error:
        raise RunError(
            f"The checkpoint in {run.checkpoints} does not fit this experiment: {str(error).splitlines()[0]}",
            hint="Was experiment.toml changed? Start a new run for other settings.",
        ) from error
