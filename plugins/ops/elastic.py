"""Elastic deformation (Simard et al. 2003, "Best practices for convolutional neural networks")."""

from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.augment.blur import blur_, reach
from workbench.augment.draws import Draws
from workbench.augment.field import uniform_field
from workbench.augment.moving import moved
from workbench.augment.op import Drawn, Ladder, Op, OpInfo, Probability, sometimes
from workbench.spec.params import Params, param


class ElasticParams(Params, frozen=True, kw_only=True):
    """How far, how smooth, and how often."""

    shift: Annotated[
        tuple[float, float], param("Smallest and largest shift, as a share of the side.", ge=0, le=0.2)
    ] = (0.0, 0.04)
    smooth: Annotated[float, param("Width of the waves, as a share of the side.", ge=0.02, le=0.3, advanced=True)] = (
        0.08
    )
    p: Probability = 0.5


class Elastic(Op[ElasticParams]):
    """Every pixel comes from a place nearby, neighbors from neighboring places; outside, the edge goes on.

    The field is noise, smoothed, and scaled so that its largest shift is what was drawn (torchvision scales the
    noise instead, so that there the shift depends on the smoothing).
    """

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """The largest shift, and the key of the field."""
        del shape
        return {
            "on": draws.flags(self.params.p),
            "shift": draws.uniform("shift", *self.params.shift),
            "key": draws.words("field"),
        }

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """New images."""
        n, _, height, width = images.shape
        ways = self.field(drawn, (height, width), images.device)
        y = ((2 * torch.arange(height, device=images.device) + 1) / height - 1)[:, None].expand(height, width)
        x = ((2 * torch.arange(width, device=images.device) + 1) / width - 1).expand(height, width)
        grid = torch.stack([x, y], dim=2) + ways
        # One by one: the library may part a batch among threads in other ways.
        made = [
            F.grid_sample(images[i : i + 1], grid[i : i + 1], padding_mode="border", align_corners=False)
            for i in range(n)
        ]
        return torch.cat(made)

    def field(self, drawn: Drawn, size: tuple[int, int], device: torch.device) -> Tensor:
        """(n, h, w, 2): how far along x and y each pixel comes from, where the side is 2."""
        n, (height, width) = len(drawn["key"]), size
        noise = uniform_field(moved(drawn["key"], device), 2 * height * width).view(n, 2, height, width)
        sigma = torch.full((n,), self.params.smooth * min(size))
        blur_(noise, torch.arange(n), sigma, widest_at=min(size) - 1)
        waves = noise.sub_(0.5)
        largest = waves.abs().amax(dim=(1, 2, 3), keepdim=True).clamp_min(1e-12)
        shifts = 2 * moved(drawn["shift"], device, torch.float32)[:, None, None, None]
        return (waves / largest * shifts).permute(0, 2, 3, 1)

    def words(self, drawn: Drawn, item: int) -> str:
        """'up to 3.1 % of the side'."""
        return f"up to {100 * float(drawn['shift'][item]):.1f} % of the side"


def _in_torchvision(params: ElasticParams, size: int) -> str:
    """torchvision's own transform scales the noise and is black outside; this bends as far as asked, as here."""
    sigma = params.smooth * size
    kernel = 2 * reach(sigma, size - 1) + 1
    noise = f"v2.functional.gaussian_blur(torch.rand(1, 2, {size}, {size}) - 0.5, {kernel}, {sigma:g})"
    shift = f"torch.empty(1).uniform_({params.shift[0]:g}, {params.shift[1]:g})"
    plain = f"torch.nn.functional.affine_grid(torch.eye(2, 3)[None], (1, 1, {size}, {size}), align_corners=False)"
    field = f"{plain} + (waves / waves.abs().amax() * 2 * shift).permute(0, 2, 3, 1)"
    bent = f'torch.nn.functional.grid_sample(image[None], {field}, padding_mode="border", align_corners=False)[0]'
    return sometimes(f"v2.Lambda(lambda image: (lambda waves, shift: {bent})({noise}, {shift}))", params.p)


OP = OpInfo(
    name="elastic",
    title="Elastic",
    group="geometry",
    help="Bends the image in soft waves, as tissue and handwriting vary, so that exact outlines do not count.",
    params=ElasticParams,
    build=Elastic,
    ladders=(
        Ladder(
            name="elastic",
            title="Elastic",
            params=lambda strength: ElasticParams(shift=(0.1 * strength, 0.1 * strength), p=1.0),
            words=lambda strength: f"{10 * strength:.0f} % of the side",
        ),
    ),
    torchvision=_in_torchvision,
)
