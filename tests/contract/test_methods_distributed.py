"""Two processes with half of a batch each must learn what one process learns from all of it."""

from functools import partial
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn
from torch.nn.parallel import DistributedDataParallel

from tests.contract.trial import BATCH, REGISTRY, begin, build, halved, make_batch, progress, slim
from workbench.method.contract import Method
from workbench.method.gather import gather

WORLD, STEPS = 2, 2
NOT_EQUAL: dict[str, str] = {
    "moco_v1": "which images share batch-norm statistics depends on what each process has of the batch; it is "
    "moco_v2's code, which is compared here without groups",
}
"""Methods for which theory does not say so, and why."""


class GatheredNorm(nn.Module):
    """Batch norm over the batch of all processes, as SyncBatchNorm is on GPUs: torch has none for CPUs."""

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
        super().__init__()
        self.weight, self.bias, self.eps, self.affine = norm.weight, norm.bias, norm.eps, norm.affine

    def forward(self, x: Tensor) -> Tensor:
        every = gather(x)
        axes = [axis for axis in range(x.ndim) if axis != 1]
        variance, mean = torch.var_mean(every, dim=axes, correction=0, keepdim=True)
        normed: Tensor = (x - mean) * torch.rsqrt(variance + self.eps)
        if not self.affine:
            return normed
        shape = [1, -1, *[1] * (x.ndim - 2)]
        return normed * self.weight.view(shape) + self.bias.view(shape)


def synchronized(net: nn.Module) -> nn.Module:
    for name, child in net.named_children():
        normed = GatheredNorm(child) if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d) else synchronized(child)
        setattr(net, name, normed)
    return net


def learn(name: str, *, rank: int = 0, world: int = 1) -> dict[str, Tensor]:
    """Weights and buffers after some steps of plain gradient descent."""
    info = REGISTRY.method(name)
    method = begin(info, build(info, slim(info, queue=8 * BATCH)))  # room for the keys of a whole batch.
    synchronized(method)
    wrapped: nn.Module = DistributedDataParallel(method) if world > 1 else method
    weights = [one for one in method.parameters() if one.requires_grad]
    optimizer = torch.optim.SGD(weights, lr=0.05)
    for step in range(STEPS):
        whole = make_batch(info, step, batch=2 * BATCH)
        loss = wrapped(halved(whole, rank, world), progress(step))
        optimizer.zero_grad()
        loss.value.backward()
        method.before_step(progress(step))
        optimizer.step()
        method.after_step(progress(step))
    return state(method)


def state(method: Method) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in method.state_dict().items()}


def one_rank(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=(Path(folder) / "meet").as_uri(), rank=rank, world_size=WORLD)
    for name in sorted(set(REGISTRY.methods) - set(NOT_EQUAL)):
        torch.save(learn(name, rank=rank, world=WORLD), Path(folder) / f"{name}-{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    spawn(one_rank, args=(str(folder),), nprocs=WORLD)  # type: ignore[no-untyped-call]
    return folder


@pytest.mark.slow
@pytest.mark.skipif(not dist.is_available(), reason="this torch has no torch.distributed")
@pytest.mark.parametrize("name", sorted(REGISTRY.methods))
def test_two_processes_learn_what_one_learns_from_the_whole_batch(name: str, trained: Path) -> None:
    if name in NOT_EQUAL:
        pytest.skip(NOT_EQUAL[name])
    alone = learn(name)
    weights = {key for key, _ in build(REGISTRY.method(name)).named_parameters()}
    for rank in range(WORLD):
        together = torch.load(trained / f"{name}-{rank}.pt", weights_only=True)
        for key, value in alone.items():
            mine, theirs = value, together[key]
            if key not in weights:  # Gathered rows come in the order of the ranks.
                mine, theirs = mine.flatten().sort().values, theirs.flatten().sort().values
            torch.testing.assert_close(theirs, mine, rtol=1e-4, atol=1e-5, msg=partial("{}: {}".format, key))
