"""Perspective: the image as seen from a random side."""

from typing import Annotated

import torch
from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.op import Drawn, GeometricOp, Ladder, OpInfo, Probability
from workbench.spec.params import Params, param


class PerspectiveParams(Params, frozen=True, kw_only=True):
    """How far, and how often."""

    # Corners that come further in could cross: the outline would no longer be convex.
    distortion: Annotated[float, param("How far corners may come in: 0.5 is a quarter of the side.", ge=0, le=0.6)] = (
        0.3
    )
    p: Probability = 0.5


class Perspective(GeometricOp[PerspectiveParams]):
    """Every corner comes in by its own random amount (as in torchvision); what is left free is black."""

    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """'inward': (n, 8) shares of the side, x and y for top left, top right, bottom right, bottom left."""
        del shape
        return {
            "on": draws.flags(self.params.p),
            "inward": draws.uniform("inward", 0.0, self.params.distortion / 2, count=8),
        }

    def matrix(self, drawn: Drawn, shape: tuple[int, int, int]) -> Tensor:
        """From the outline to the whole image: the inverse of the square's image."""
        del shape
        start = torch.tensor([-1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, 1.0], dtype=torch.float64)
        corners = start - torch.sign(start) * 2 * drawn["inward"].double()
        return _inverse(_from_square(*corners.unbind(1)))

    def words(self, drawn: Drawn, item: int) -> str:
        """'corners in by up to 12 %'."""
        return f"corners in by up to {100 * float(drawn['inward'][item].max()):.0f} %"


def _from_square(*corner: Tensor) -> Tensor:
    """(n, 3, 3): the homography that carries the corners (±1, ±1) to given points, clockwise from the top left.

    Heckbert 1989, "Fundamentals of texture mapping and image warping", section 2.2.3, for a square of
    side two about the origin.
    """
    x0, y0, x1, y1, x2, y2, x3, y3 = corner
    sx, sy = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    ax, ay, bx, by = x1 - x2, y1 - y2, x3 - x2, y3 - y2
    bottom = ax * by - bx * ay
    g, h = (sx * by - bx * sy) / bottom, (ax * sy - sx * ay) / bottom
    # On the unit square (u, v): x = (a u + b v + c) / (g u + h v + 1). Then u = (x + 1) / 2, v alike.
    a, b, c = x1 - x0 + g * x1, x3 - x0 + h * x3, x0
    d, e, f = y1 - y0 + g * y1, y3 - y0 + h * y3, y0
    rows = [[a, b, a + b + 2 * c], [d, e, d + e + 2 * f], [g, h, g + h + 2]]
    return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)


def _inverse(m: Tensor) -> Tensor:
    """(n, 3, 3): the adjugate, scaled to a last entry of one (homographies have no scale)."""
    first, second, third = m.unbind(1)
    columns = [_cross(second, third), _cross(third, first), _cross(first, second)]
    adjugate = torch.stack(columns, dim=2)
    return adjugate / adjugate[:, 2:3, 2:3]


def _cross(p: Tensor, q: Tensor) -> Tensor:
    (a, b, c), (x, y, z) = p.unbind(1), q.unbind(1)
    return torch.stack([b * z - c * y, c * x - a * z, a * y - b * x], dim=1)


OP = OpInfo(
    name="perspective",
    title="Perspective",
    group="geometry",
    help="Tilts the image in depth, as if it were seen from a random side.",
    params=PerspectiveParams,
    build=Perspective,
    ladders=(
        Ladder(
            name="perspective",
            title="Perspective",
            params=lambda strength: PerspectiveParams(distortion=0.6 * strength, p=1.0),
            words=lambda strength: f"distortion {0.6 * strength:.2f}",
        ),
    ),
    torchvision=lambda params, _: f"v2.RandomPerspective({params.distortion:g}, p={params.p:g})",
)
