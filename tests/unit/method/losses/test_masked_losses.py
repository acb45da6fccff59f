"""Losses of masked modelling against lightly's parts and slow sums."""

import torch
from lightly.models.utils import normalize_mean_var

from tests.unit.method.losses.oracle import assert_same
from workbench.method.losses.masked import latent_distance, masked_l1, normed_tokens, patch_mse


def test_mean_squared_error_of_patches() -> None:
    generator = torch.Generator().manual_seed(0)
    predicted = torch.randn(2, 5, 12, generator=generator, requires_grad=True)
    wanted = normalize_mean_var(torch.randn(2, 5, 12, generator=generator))
    assert_same(patch_mse(predicted, wanted), torch.nn.MSELoss()(predicted, wanted), predicted)
    assert torch.isclose(patch_mse(torch.zeros(2, 5, 12), wanted), torch.tensor(11 / 12)), "of the patch's mean"


def test_l1_of_what_is_hidden() -> None:
    generator = torch.Generator().manual_seed(0)
    predicted = torch.randn(2, 5, 12, generator=generator, requires_grad=True)
    wanted = torch.randn(2, 5, 12, generator=generator)
    mask = torch.tensor([[1, 0, 1, 0, 0], [0, 1, 1, 1, 0]]).bool()
    images = []
    for image in range(2):
        apart = [(predicted[image, at] - wanted[image, at]).abs().sum() for at in range(5) if mask[image, at]]
        images.append(torch.stack(apart).sum() / (12 * len(apart)))
    assert_same(masked_l1(predicted, wanted, mask), torch.stack(images).mean(), predicted)
    assert masked_l1(predicted, wanted, torch.zeros_like(mask)) == 0


def test_l1_is_equation_1_of_simmim_where_as_much_is_hidden_of_each() -> None:
    generator = torch.Generator().manual_seed(0)
    predicted, wanted = torch.randn(2, 3, 6, 12, generator=generator)
    mask = torch.tensor([[1, 0, 1, 0, 0, 1]]).bool().repeat(3, 1)
    expected = ((predicted - wanted).abs() * mask[..., None]).sum() / (mask.sum() * 12)
    assert torch.isclose(masked_l1(predicted, wanted, mask), expected)


def test_latent_distance_is_smooth_and_of_normed_targets() -> None:
    generator = torch.Generator().manual_seed(0)
    predicted = (2 * torch.randn(2, 5, 12, generator=generator)).requires_grad_()
    teacher = 3 + 5 * torch.randn(2, 5, 12, generator=generator)
    wanted = (teacher - teacher.mean(dim=2, keepdim=True)) / (
        teacher.var(dim=2, keepdim=True, correction=0) + 1e-5
    ) ** 0.5
    torch.testing.assert_close(normed_tokens(teacher), wanted)
    apart = (predicted - wanted).abs()
    expected = torch.where(apart < 1, apart.square() / 2, apart - 0.5).mean()
    assert_same(latent_distance(predicted, teacher), expected, predicted)
