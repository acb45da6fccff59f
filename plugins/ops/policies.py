"""Composites that draw their ops anew for every image: RandAugment and TrivialAugment."""

from typing import Annotated

import torch
from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.op import Drawn, Ladder, Op, OpInfo, Probability, sometimes
from workbench.augment.policy import NAMES, SIGNED, changed, magnitudes_at, words
from workbench.spec.params import Params, param

_BINS = 30
"""The highest magnitude: strength 1 in the tables."""


class RandAugmentParams(Params, frozen=True, kw_only=True):
    """How many ops, how strong, and how often."""

    ops: Annotated[int, param("Ops in a row for each image.", ge=1, le=4)] = 2
    magnitude: Annotated[float, param("Strength of each, from 0 to 30.", ge=0, le=30)] = 9.0
    deviation: Annotated[
        float, param("Random spread of the magnitude; 0 keeps it fixed.", ge=0, le=10, advanced=True)
    ] = 0.0
    p: Probability = 1.0


class TrivialAugmentParams(Params, frozen=True, kw_only=True):
    """How often."""

    p: Probability = 1.0


def _drawn(draws: Draws, strengths: Tensor, *, wide: bool, number: int) -> tuple[Tensor, Tensor]:
    """The kind of the op and its magnitude, (n,) each."""
    kinds = draws.integers(f"kind {number}", len(NAMES))
    negative = draws.flags(0.5, f"sign {number}")
    magnitudes = torch.zeros(len(kinds))
    for kind, name in enumerate(NAMES):
        size = magnitudes_at(name, strengths, wide=wide)
        if name in SIGNED:
            size = torch.where(negative, -size, size)
        magnitudes = torch.where(kinds == kind, size, magnitudes)
    return kinds, magnitudes


class _Policy:
    """What both do with their draws: 'kinds' and 'magnitudes', (n, number of ops)."""

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """One op after the other."""
        for number in range(drawn["kinds"].shape[1]):
            images = changed(images, drawn["kinds"][:, number], drawn["magnitudes"][:, number])
        return images

    def words(self, drawn: Drawn, item: int) -> str:
        """'rotate -12°, posterize 4 bits'."""
        kinds, magnitudes = drawn["kinds"][item].tolist(), drawn["magnitudes"][item].tolist()
        return ", ".join(words(NAMES[kind], magnitude) for kind, magnitude in zip(kinds, magnitudes, strict=True))


class RandAugment(_Policy, Op[RandAugmentParams]):
    """Cubuk et al. 2020 (arXiv:1909.13719): some ops in a row, all at one magnitude."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """Kinds and magnitudes, one column for each op in the row."""
        del shape
        columns = []
        for number in range(self.params.ops):
            level = draws.normal(f"level {number}", self.params.magnitude, self.params.deviation).clamp(0, _BINS)
            columns.append(_drawn(draws, level / _BINS, wide=False, number=number))
        kinds, magnitudes = zip(*columns, strict=True)
        return {
            "on": draws.flags(self.params.p),
            "kinds": torch.stack(kinds, dim=1),
            "magnitudes": torch.stack(magnitudes, dim=1),
        }


class TrivialAugment(_Policy, Op[TrivialAugmentParams]):
    """Müller and Hutter 2021 (arXiv:2103.10158), wide: one op at one of 31 magnitudes.

    Shifts go to 32 px of 224 at every size; torchvision's to 32 px, which at 32 px leaves nothing to see.
    """

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """Kind and magnitude, in a single column."""
        del shape
        kinds, magnitudes = _drawn(draws, draws.integers("level", _BINS + 1) / _BINS, wide=True, number=0)
        return {
            "on": draws.flags(self.params.p),
            "kinds": kinds[:, None],
            "magnitudes": magnitudes[:, None],
        }


_BILINEAR = "interpolation=v2.InterpolationMode.BILINEAR"


def _rand_augment_in_torchvision(params: RandAugmentParams, size: int) -> str:
    """With a deviation, every op in the row is a choice among magnitudes, as likely as they are drawn here."""
    del size
    if params.deviation == 0:
        expression = f"v2.RandAugment(num_ops={params.ops}, magnitude={round(params.magnitude)}, {_BILINEAR})"
        return sometimes(expression, params.p)
    edges = torch.arange(_BINS, dtype=torch.float64) + 0.5
    below = torch.special.ndtr((edges - params.magnitude) / params.deviation).tolist()
    chances = [upper - lower for lower, upper in zip([0.0, *below], [*below, 1.0], strict=True)]
    likely = {magnitude: chance for magnitude, chance in enumerate(chances) if chance >= 0.001}
    kinds = f"[v2.RandAugment(num_ops=1, magnitude=magnitude, {_BILINEAR}) for magnitude in {list(likely)}]"
    chosen = f"v2.RandomChoice({kinds}, p=[{', '.join(f'{chance:.3f}' for chance in likely.values())}])"
    return sometimes(f"v2.Compose([{chosen}] * {params.ops})", params.p)


OPS = (
    OpInfo(
        name="rand_augment",
        title="RandAugment",
        group="composite",
        help="Changes geometry, color or tone by a few ops of one strength, drawn from fourteen for every image.",
        params=RandAugmentParams,
        build=RandAugment,
        ladders=(
            Ladder(
                name="rand_augment",
                title="RandAugment",
                params=lambda strength: RandAugmentParams(magnitude=30 * strength, p=1.0),
                words=lambda strength: f"magnitude {30 * strength:.0f}",
            ),
        ),
        torchvision=_rand_augment_in_torchvision,
    ),
    OpInfo(
        name="trivial_augment",
        title="TrivialAugment",
        group="composite",
        help="Changes every image by one op of any strength, drawn from fourteen: nothing to tune.",
        params=TrivialAugmentParams,
        build=TrivialAugment,
        ladders=(
            Ladder(
                name="trivial_augment",
                title="TrivialAugment",
                params=lambda _: TrivialAugmentParams(p=1.0),
                words=lambda _: "yes",
                steps=1,
            ),
        ),
        torchvision=lambda params, _: sometimes(f"v2.TrivialAugmentWide({_BILINEAR})", params.p),
    ),
)
