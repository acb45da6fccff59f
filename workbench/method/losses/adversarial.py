"""The two losses of an adversarial game (Goodfellow et al. 2014, arXiv:1406.2661, section 3)."""

import torch.nn.functional as F
from torch import Tensor

from workbench.method.losses.precision import float32


def telling_apart(real: Tensor, fake: Tensor) -> Tensor:
    """The discriminator's: −½ mean log D(real) − ½ mean log(1 − D(fake)), from logits (B,). ln 2 where it guesses."""
    with float32(real):
        return (F.softplus(-real.float()).mean() + F.softplus(fake.float()).mean()) / 2


def fooling(fake: Tensor) -> Tensor:
    """The painter's: −mean log D(fake), the form that still teaches where the discriminator is sure. Logits (B,)."""
    with float32(fake):
        return F.softplus(-fake.float()).mean()


def told_right(real: Tensor, fake: Tensor) -> Tensor:
    """Share of images that the discriminator takes for what they are, from logits (B,): 0.5 where it guesses."""
    return ((real > 0).float().mean() + (fake <= 0).float().mean()).detach() / 2
