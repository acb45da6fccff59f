import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.unit.method.losses.oracle import assert_same
from workbench.method.adversarial import Discriminator, play
from workbench.method.losses.adversarial import fooling, telling_apart, told_right


def test_the_losses_are_binary_cross_entropy() -> None:
    real, fake = torch.randn(2, 9, generator=torch.Generator().manual_seed(0)).requires_grad_().unbind()
    ones, zeros = torch.ones(9), torch.zeros(9)
    bce = F.binary_cross_entropy_with_logits
    assert_same(telling_apart(real, fake), (bce(real, ones) + bce(fake, zeros)) / 2, real, fake)
    assert_same(fooling(fake), bce(fake, ones), fake)
    assert telling_apart(zeros, zeros).item() == pytest.approx(math.log(2))
    assert told_right(torch.tensor([1.0, -1.0]), torch.tensor([-1.0, -3.0])).item() == 0.75


def test_each_side_gets_its_own_gradient_and_no_other() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(3, 16, width=8)
    maker = nn.Conv2d(3, 3, 1)
    real = torch.randn(6, 3, 16, 16)
    game = play(discriminator, real, maker(torch.randn(6, 3, 16, 16)))
    its, makers = list(discriminator.parameters()), list(maker.parameters())
    assert all(one is None for one in torch.autograd.grad(game.maker, its, retain_graph=True, allow_unused=True))
    of_maker = torch.autograd.grad(game.maker, makers, retain_graph=True)
    assert all(one.abs().sum() > 0 for one in of_maker)
    assert all(
        one is None for one in torch.autograd.grad(game.discriminator, makers, retain_graph=True, allow_unused=True)
    )
    of_discriminator = torch.autograd.grad(game.discriminator, its)
    assert all(one.abs().sum() > 0 for one in of_discriminator)


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (32, 3), (50, 2), (96, 3)])
def test_a_discriminator_takes_any_size_and_channels(size: int, channels: int) -> None:
    assert Discriminator(channels, size, width=8)(torch.randn(2, channels, size, size)).shape == (2,)


def test_the_game_can_be_won_by_either_side() -> None:
    torch.manual_seed(0)
    real = torch.randn(64, 1, 8, 8) + 2
    discriminator, maker = Discriminator(1, 8, width=8), nn.Parameter(torch.zeros(64, 1, 8, 8))
    for weights, wanted in (([*discriminator.parameters()], 1.0), ([maker], 0.6)):
        optimizer = torch.optim.Adam(weights, lr=0.05)
        for _ in range(25):
            game = play(discriminator, real, maker + torch.randn(64, 1, 8, 8))
            optimizer.zero_grad()
            both = game.maker + game.discriminator
            both.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        right = play(discriminator, real, maker + torch.randn(64, 1, 8, 8)).right.item()
        assert right >= wanted if wanted == 1.0 else right <= wanted
