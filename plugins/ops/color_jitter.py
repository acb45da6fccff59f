"""Color jitter: brightness, contrast, saturation and hue, in an order of its own for every image."""

from functools import partial
from typing import Annotated

from torch import Tensor

from workbench.augment.color import PARTS, jitter_
from workbench.augment.draws import Draws
from workbench.augment.op import Drawn, Ladder, Op, OpInfo, Probability, sometimes
from workbench.spec.params import Params, param


class ColorJitterParams(Params, frozen=True, kw_only=True):
    """How strongly, and how often."""

    brightness: Annotated[float, param("Factors from 1 - b to 1 + b.", ge=0, le=2)] = 0.4
    contrast: Annotated[float, param("Factors from 1 - c to 1 + c.", ge=0, le=2)] = 0.4
    saturation: Annotated[float, param("Factors from 1 - s to 1 + s; nothing on gray images.", ge=0, le=2)] = 0.4
    hue: Annotated[float, param("Largest turn of the color circle; nothing on gray images.", ge=0, le=0.5)] = 0.1
    p: Probability = 0.8


class ColorJitter(Op[ColorJitterParams]):
    """torchvision's four adjustments, each clamped to [0, 1], in random order."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """Three factors, the hue's turn, and the order. Parts that cannot do anything are left out."""
        strengths = (self.params.brightness, self.params.contrast, self.params.saturation, self.params.hue)
        drawn = {"on": draws.flags(self.params.p), "order": draws.order("order", 4)}
        for part, strength in zip(PARTS, strengths, strict=True):
            if strength == 0 or (part in ("saturation", "hue") and shape[0] != 3):
                continue
            low, high = (-strength, strength) if part == "hue" else (max(0.0, 1 - strength), 1 + strength)
            drawn[part] = draws.uniform(part, low, high)
        return drawn

    def change_rows(self, images: Tensor, rows: Tensor, drawn: Drawn) -> None:
        """In place."""
        jitter_(images, rows, drawn["order"], {part: drawn[part] for part in PARTS if part in drawn})

    def words(self, drawn: Drawn, item: int) -> str:
        """'b 1.25 c 0.90 s 1.40 hue +0.03'."""
        texts = [f"{part[0]} {float(drawn[part][item]):.2f}" for part in PARTS[:3] if part in drawn]
        if "hue" in drawn:
            texts.append(f"hue {float(drawn['hue'][item]):+.2f}")
        return " ".join(texts) or "nothing"


def _in_torchvision(params: ColorJitterParams, size: int) -> str:
    del size
    strengths = (params.brightness, params.contrast, params.saturation, params.hue)
    return sometimes(f"v2.ColorJitter({', '.join(f'{strength:g}' for strength in strengths)})", params.p)


def _alone(part: str, strength: float) -> ColorJitterParams:
    """One of the four, the others off."""
    strengths = {name: strength if name == part else 0.0 for name in PARTS}
    return ColorJitterParams(**strengths, p=1.0)


OP = OpInfo(
    name="color_jitter",
    title="Color jitter",
    group="color",
    help="Changes brightness, contrast, saturation and hue at random, so that lighting and color make no difference.",
    params=ColorJitterParams,
    build=ColorJitter,
    ladders=(
        Ladder(
            name="brightness",
            title="Brightness",
            params=partial(_alone, "brightness"),
            words=lambda strength: f"×{1 - strength:.2f} to ×{1 + strength:.2f}",
        ),
        Ladder(
            name="contrast",
            title="Contrast",
            params=partial(_alone, "contrast"),
            words=lambda strength: f"×{1 - strength:.2f} to ×{1 + strength:.2f}",
        ),
        Ladder(
            name="saturation",
            title="Saturation",
            params=partial(_alone, "saturation"),
            words=lambda strength: f"×{1 - strength:.2f} to ×{1 + strength:.2f}",
        ),
        Ladder(
            name="hue",
            title="Hue",
            params=lambda strength: _alone("hue", 0.5 * strength),
            words=lambda strength: f"up to ±{0.5 * strength:.2f} turns",
        ),
    ),
    torchvision=_in_torchvision,
)
