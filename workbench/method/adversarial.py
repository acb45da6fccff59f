"""A game of two networks within one loss and one optimizer: one makes images, the other tells them from real ones."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call

from workbench.method.contract import Setting, Symptom
from workbench.method.losses.adversarial import fooling, telling_apart, told_right

_FIRST_SIDE = 4
_MOST_WIDTH = 256

ALWAYS_RIGHT = 0.995
"""A discriminator that is right so often has won."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one step of the game gives: two losses to add up, each with a gradient for one side alone.

    discriminator: reaches the discriminator's weights and not the fakes. maker: reaches the fakes, and whatever made
    them, and not the discriminator's weights. right: share of images that were taken for what they are.
    """

    discriminator: Tensor
    maker: Tensor
    right: Tensor


def play(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Round:
    """One round. discriminator: images (B, C, h, w) to logits (B,), above 0 for real ones.

    Both sides step at once, in the optimizer's own step, from the same state: the usual alternation without its lag.
    """
    of_real, of_fake = discriminator(real), discriminator(fake.detach())
    held = {name: weight.detach() for name, weight in discriminator.named_parameters()}
    seen: Tensor = functional_call(discriminator, held, (fake,))
    return Round(discriminator=telling_apart(of_real, of_fake), maker=fooling(seen), right=told_right(of_real, of_fake))


class Discriminator(nn.Module):
    """Images (B, channels, size, size), of any size, to logits (B,) (as in DCGAN, arXiv:1511.06434, section 3).

    Convolutions (4 × 4, stride 2, leaky ReLU, batch norm in all but the first) down to 4 to 7 px, then a linear layer.
    """

    def __init__(self, channels: int, size: int, *, width: int) -> None:
        super().__init__()
        halvings = max(1, int(math.log2(size / _FIRST_SIDE)))
        layers: list[nn.Module] = []
        side = size
        for step in range(halvings):
            outputs = min(_MOST_WIDTH, width << step)
            layers.append(nn.Conv2d(channels, outputs, 4, stride=2, padding=1, bias=step == 0))
            layers.extend([nn.BatchNorm2d(outputs)] if step else [])
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            channels, side = outputs, side // 2
        self.layers = nn.Sequential(*layers)
        self.last = nn.Linear(channels * side**2, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(B,)."""
        logits: Tensor = self.last(self.layers(images).flatten(1))
        return logits.squeeze(1)


def discriminator_wins(part: str, advice: str, *, matters: Callable[[Any], bool]) -> Symptom[Any]:
    """That `part`, a `Round.right`, says that the game is over; `advice` is what to do. matters: of the parameters."""

    def is_sick(value: float, params: Any, setting: Setting) -> bool:
        del setting
        return matters(params) and value > ALWAYS_RIGHT

    return Symptom(
        part=part,
        is_sick=is_sick,
        title="The discriminator always wins",
        text="It tells every painted image from a real one, so that the painter is told nothing that helps it, and the "
        f"adversarial part of the loss no longer teaches. {advice}",
    )
