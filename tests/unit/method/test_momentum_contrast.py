from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.contract.trial import REGISTRY, SIZE, build, make_batch, progress, setting, slim, train
from workbench.catalog.build import build_encoder
from workbench.inspect.symptoms import Fingerprint
from workbench.method.groups import in_groups
from workbench.method.momentum_contrast import MomentumContrast
from workbench.spec.experiment import BackboneSpec


class Remembering(nn.Module):
    """What it was given, part by part."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        self.parts.append(images)
        return 2 * images


def drawn(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("groups", "sizes"), [(1, [10]), (3, [4, 3, 3]), (5, [2] * 5), (64, [2] * 5)])
@pytest.mark.parametrize("shuffled", [False, True])
def test_groups_are_shuffled_and_put_back(groups: int, sizes: list[int], shuffled: bool) -> None:
    images, net = torch.randn(10, 3), Remembering()
    given = in_groups(net, images, groups, shuffled=drawn(0) if shuffled else None)
    assert torch.equal(given, 2 * images)
    assert [len(part) for part in net.parts] == sizes
    assert torch.equal(torch.cat(net.parts), images) == (not shuffled or groups == 1)


def test_each_group_has_batch_norm_statistics_of_its_own() -> None:
    images = torch.randn(12, 4)
    normed = in_groups(nn.BatchNorm1d(4, affine=False), images, 3)
    for part in normed.chunk(3):
        torch.testing.assert_close(part.mean(dim=0), torch.zeros(4), atol=1e-6, rtol=0)
    assert normed.mean(dim=0).abs().max() < 1e-6
    assert not torch.allclose(normed, nn.BatchNorm1d(4, affine=False)(images), atol=1e-2)


def moco(name: str, **changes: Any) -> MomentumContrast:
    info = REGISTRY.method(name)
    method = build(info, info.params(**changes))
    assert isinstance(method, MomentumContrast)
    return method


@pytest.mark.parametrize(
    ("name", "changes"), [("moco_v1", {"momentum": 0.0}), ("moco_v2", {"momentum": 0.0, "final_momentum": 0.0})]
)
def test_with_momentum_0_the_teacher_is_the_student_of_the_step(name: str, changes: dict[str, float]) -> None:
    method = moco(name, queue=16, **changes)
    train(REGISTRY.method(name), method, range(2))
    student = nn.Sequential(method.encoder, method.projector)
    for mine, theirs in zip(method.teacher.parameters(), student.parameters(), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("name", ["moco_v1", "moco_v2"])
@pytest.mark.parametrize(
    ("momentum", "loss", "spread", "told"),
    [
        (0.0, 3.93, 0.001, "out of date"),
        (0.0, 3.92, 0.06, "out of date"),
        (0.0, 3.5, 0.5, ""),
        (0.99, 3.93, 0.001, "same vector"),
        (0.99, 3.93, 0.5, "Nothing learned yet"),
    ],
)
def test_a_momentum_too_low_for_a_queue_is_told_whatever_the_spread(
    name: str, momentum: float, loss: float, spread: float, told: str
) -> None:
    info = REGISTRY.method(name)
    read = Fingerprint(info=info, params=info.params(momentum=momentum, queue=50), setting=setting()).read
    sign = read({"loss": loss, "loss/spread": spread})
    title = sign.title if sign else ""
    assert told in title
    assert bool(title) == bool(told)


def test_frozen_patches_hold_a_transformers_patch_projection_and_nothing_else() -> None:
    info = REGISTRY.method("moco_v3")
    encoder = build_encoder(BackboneSpec(name="vit_tiny"), channels=3, image_size=SIZE, registry=REGISTRY)
    method = info.build(encoder, slim(info, frozen_patches=True), setting())
    before = encoder.get_parameter("net.patch_embed.proj.weight").clone()
    train(info, method, range(1))
    still = [name for name, parameter in encoder.named_parameters() if not parameter.requires_grad]
    assert still == ["net.patch_embed.proj.weight", "net.patch_embed.proj.bias"]
    assert torch.equal(encoder.get_parameter("net.patch_embed.proj.weight"), before)


def test_every_view_asks_and_answers_only_if_it_is_symmetric() -> None:
    batch = make_batch(REGISTRY.method("moco_v2"), views=3)
    for symmetric, keys in ((True, 3), (False, 2)):
        method = moco("moco_v2", queue=80, symmetric=symmetric)
        method(batch, progress(0))
        method.after_step(progress(0))
        assert int(method.queue.position) == keys * len(batch.indices)
