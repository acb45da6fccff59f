import math
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from lightly.models.modules import DINOProjectionHead
from torch import nn
from torch.multiprocessing.spawn import spawn

from workbench.method.gather import gather
from workbench.method.heads import PrototypeHead, fitting_width, mlp
from workbench.method.hub import fetching
from workbench.method.losses.contrastive import nt_xent
from workbench.method.memory import Bank, Queue, fitting_size
from workbench.method.momentum import Teacher, cosine_momentum
from workbench.spec.errors import CheckError, WorkbenchError


def test_queue_keeps_the_newest_in_a_ring() -> None:
    queue = Queue(5, 2)
    assert torch.allclose(queue.vectors.norm(dim=1), torch.ones(5))
    rows = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0]])
    queue.push(rows)
    torch.testing.assert_close(queue.vectors[:3], torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
    queue.push(torch.tensor([[0.0, -1.0], [0.6, 0.8], [0.8, 0.6]]))
    torch.testing.assert_close(queue.vectors[[3, 4, 0]], torch.tensor([[0.0, -1.0], [0.6, 0.8], [0.8, 0.6]]))
    assert int(queue.position) == 1


def test_queue_takes_the_last_of_more_rows_than_fit() -> None:
    queue = Queue(2, 2)
    queue.push(torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
    assert sorted(queue.vectors.tolist()) == [[-1.0, 0.0], [0.0, 1.0]]


def test_queue_survives_a_resume() -> None:
    queue = Queue(4, 3)
    queue.push(torch.randn(3, 3))
    other = Queue(4, 3)
    other.load_state_dict(queue.state_dict())
    fresh = torch.randn(2, 3)
    queue.push(fresh)
    other.push(fresh)
    assert torch.equal(queue.vectors, other.vectors)


def test_a_queue_holds_half_of_the_images_at_most() -> None:
    assert [fitting_size(100, images) for images in (1000, 200, 150, 1)] == [100, 100, 75, 1]


def test_a_bank_moves_the_vectors_of_the_images_seen_and_stays_on_the_sphere() -> None:
    bank = Bank(5, 3)
    before = bank.vectors.clone()
    z = torch.tensor([[0.0, 0.0, 7.0], [2.0, 0.0, 0.0]])
    bank.move(torch.tensor([4, 1]), z, momentum=0.25)
    for row, unit in ((4, z[0] / 7), (1, z[1] / 2)):
        moved = 0.25 * before[row] + 0.75 * unit
        torch.testing.assert_close(bank.vectors[row], moved / moved.norm())
    assert torch.equal(bank.vectors[[0, 2, 3]], before[[0, 2, 3]])


def test_a_bank_draws_the_same_rows_from_the_same_generator_or_gives_all() -> None:
    bank = Bank(50, 3)
    one, other = (bank.draw(8, torch.Generator().manual_seed(2)) for _ in range(2))
    assert torch.equal(one, other)
    assert one.shape == (8,)
    assert [len(bank.draw(count, torch.Generator())) for count in (0, 50, 90)] == [50, 50, 50]
    own, others, is_own = bank.beside(torch.tensor([7, int(one[0])]), one)
    assert torch.equal(own[0], bank.vectors[7])
    assert torch.equal(others, bank.vectors[one])
    assert bool(is_own[1, 0])
    assert is_own.shape == (2, 8)


def test_teacher_is_a_moving_average_and_copies_buffers() -> None:
    student = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    teacher = Teacher(student)
    before = [parameter.clone() for parameter in teacher.parameters()]
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    with torch.no_grad():
        for parameter in student.parameters():
            parameter.add_(1)
    student(torch.randn(4, 3))
    teacher.follow(student, 0.9)
    for mine, old, theirs in zip(teacher.parameters(), before, student.parameters(), strict=True):
        torch.testing.assert_close(mine.detach(), 0.9 * old + 0.1 * theirs.detach())
    assert all(torch.equal(one, other) for one, other in zip(teacher.buffers(), student.buffers(), strict=True))
    assert not teacher(torch.randn(4, 3)).requires_grad


def test_momentum_goes_from_start_to_end_as_in_byol() -> None:
    assert cosine_momentum(0.99, 1.0, 0) == pytest.approx(0.99)
    assert cosine_momentum(0.99, 1.0, 1) == pytest.approx(1.0)
    assert cosine_momentum(0.9, 1.0, 0.3) == pytest.approx(1 - 0.1 * (math.cos(math.pi * 0.3) + 1) / 2)
    assert cosine_momentum(0.9, 0.9, 0.7) == pytest.approx(0.9)


def test_mlp_has_the_layers_that_were_asked() -> None:
    head = mlp(4, 8, 2, layers=3, last_norm=True)
    kinds = [type(part).__name__ for part in head]
    assert kinds == ["Linear", "BatchNorm1d", "ReLU", "Linear", "BatchNorm1d", "ReLU", "Linear", "BatchNorm1d"]
    assert head(torch.randn(3, 4)).shape == (3, 2)
    assert [type(part).__name__ for part in mlp(4, 8, 2, layers=1, norm=False)] == ["Linear"]
    assert "7.weight" not in head.state_dict()


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning")
@pytest.mark.parametrize("norm", [True, False])
def test_the_head_of_prototypes_is_lightlys(norm: bool) -> None:
    mine = PrototypeHead(6, 10, 4, 9, norm=norm)
    theirs = DINOProjectionHead(6, 10, 4, 9, batch_norm=norm)
    theirs.layers.load_state_dict(mine.layers.state_dict())
    theirs.last_layer.weight_v.data.copy_(mine.prototypes)
    features = torch.randn(5, 6)
    cosines = mine(features)
    torch.testing.assert_close(cosines, theirs(features))
    assert cosines.abs().max() <= 1 + 1e-6


def test_gather_is_the_identity_in_one_process() -> None:
    z = torch.randn(3, 2, requires_grad=True)
    assert gather(z) is z


def _whole_batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return tuple(torch.randn(shape, generator=generator) for shape in ((4, 3), (4, 3), (2, 3)))  # type: ignore[return-value]


def _rank(rank: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=(Path(folder) / "meet").as_uri(), rank=rank, world_size=2)
    x1, x2, weight = _whole_batch()
    weight.requires_grad_()
    mine = slice(2 * rank, 2 * rank + 2)
    z1, z2 = gather(x1[mine] @ weight.T), gather(x2[mine] @ weight.T)
    torch.autograd.backward(nt_xent(z1, z2, temperature=0.5))
    assert weight.grad is not None
    dist.all_reduce(weight.grad)
    torch.save(weight.grad / 2, Path(folder) / f"{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()


@pytest.mark.slow
@pytest.mark.skipif(not dist.is_available(), reason="this torch has no torch.distributed")
def test_two_processes_have_the_gradient_of_the_whole_batch(tmp_path: Path) -> None:
    x1, x2, weight = _whole_batch()
    weight.requires_grad_()
    torch.autograd.backward(nt_xent(x1 @ weight.T, x2 @ weight.T, temperature=0.5))
    spawn(_rank, args=(str(tmp_path),), nprocs=2)  # type: ignore[no-untyped-call]
    for rank in range(2):
        gradient = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        torch.testing.assert_close(gradient, weight.grad)


def test_a_hub_out_of_reach_is_a_sentence() -> None:
    words = "weights of resnet18 cannot be had from torchvision: no route"
    with pytest.raises(WorkbenchError, match=words), fetching("torchvision", "resnet18"):
        raise OSError("no route\nto host")
    with pytest.raises(CheckError), fetching("torchvision", "resnet18"):
        raise CheckError("as it is")


def test_heads_are_no_wider_than_published_ones_for_the_features_that_there_are() -> None:
    assert [fitting_width(2048, features) for features in (128, 512, 2048)] == [1024, 2048, 2048]
