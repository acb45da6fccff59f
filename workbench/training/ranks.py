"""Several processes that train one run together, as torchrun starts them. One process is the usual case."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist

from workbench.spec.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """This process among `world`. Rank 0 writes the run folder; `local` is the GPU of this process."""

    rank: int = 0
    world: int = 1
    local: int = 0

    @property
    def leads(self) -> bool:
        """Whether this process writes, probes and answers requests."""
        return self.rank == 0

    def wait(self) -> None:
        """Until every process is here."""
        if self.world > 1:
            dist.barrier()

    def agree(self, flags: Sequence[bool], device: torch.device) -> list[bool]:
        """Whether any process has raised each flag; the same answer everywhere."""
        if self.world == 1:
            return list(flags)
        raised = torch.tensor([float(flag) for flag in flags], device=device)
        dist.all_reduce(raised, op=dist.ReduceOp.MAX)
        return [bool(flag) for flag in raised.tolist()]


def join_ranks() -> Ranks:
    """The ranks that the environment says (torchrun's RANK, WORLD_SIZE, LOCAL_RANK), joined in a group."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return Ranks()
    try:
        ranks = Ranks(rank=int(os.environ["RANK"]), world=world, local=int(os.environ.get("LOCAL_RANK", "0")))
    except KeyError as error:
        raise UsageError(
            "WORLD_SIZE is set, but RANK is not.", hint="Start several processes with torchrun, or unset WORLD_SIZE."
        ) from error
    if not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return ranks


def leave_ranks(ranks: Ranks) -> None:
    """Closes the group."""
    if ranks.world > 1 and dist.is_initialized():
        dist.destroy_process_group()
