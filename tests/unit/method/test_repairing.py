"""Spots: who learns from what, and what stays whole."""

import torch
from torch import nn

from tests.contract.trial import REGISTRY, build, make_batch, progress, slim
from workbench.method.repairing import SpotMaker, places


def test_the_repair_network_alone_learns_from_the_spots() -> None:
    maker = SpotMaker(3, 8)
    images = torch.randn(4, 3, 20, 20)
    lost = torch.rand(4, 1, places(20), places(20)) < 0.5
    whole, spotted = maker(images, lost)
    assert whole.shape == spotted.shape == images.shape
    spotted.sum().backward()
    reached = {name.split(".")[0] for name, one in maker.named_parameters() if one.grad is not None}
    assert reached == {"repair"}
    maker.zero_grad(set_to_none=True)
    whole.sum().backward()
    reached = {name.split(".")[0] for name, one in maker.named_parameters() if one.grad is not None}
    assert reached == {"encode", "decode"}


def test_where_nothing_is_lost_nothing_is_repaired() -> None:
    maker = SpotMaker(1, 8).eval()
    images = torch.randn(2, 1, 19, 19)
    whole, spotted = maker(images, torch.zeros(2, 1, places(19), places(19), dtype=torch.bool))
    torch.testing.assert_close(whole, spotted)
    _, other = maker(images, torch.ones(2, 1, places(19), places(19), dtype=torch.bool))
    torch.testing.assert_close(other[0], other[1])


def test_the_judge_learns_to_find_spots_that_nobody_repairs() -> None:
    info = REGISTRY.method("spot_artifacts")
    method = build(info, slim(info, repair=0.0, width=8))
    optimizer = torch.optim.Adam(method.parameters(), lr=3e-3)
    batch, told = make_batch(info), []
    for step in range(25):
        loss = method(batch, progress(step))
        optimizer.zero_grad()
        loss.value.backward()
        optimizer.step()
        told.append(loss.parts["told_right"].item())
    assert sum(told[-5:]) / 5 > 0.9
    assert isinstance(method.get_submodule("judge"), nn.Module)
