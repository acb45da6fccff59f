"""Relative patch position: the neighbor that is asked about is the one that lies there."""

import msgspec
import torch

from tests.contract.trial import REGISTRY, SIZE, build, make_batch, progress, slim
from workbench.method.tiles import tile_side

INFO = REGISTRY.method("relative_patch")
AROUND = {
    "above left": 0, "above": 1, "above right": 2, "left": 3, "right": 5,
    "below left": 6, "below": 7, "below right": 8,
}  # fmt: skip


def test_a_neighbor_is_shown_where_it_lay() -> None:
    method = build(INFO, msgspec.structs.replace(slim(INFO), colors="keep")).eval()
    batch = make_batch(INFO, batch=12)
    with torch.no_grad():
        _, target, answer = method.exhibit(batch, progress(0))
    cell, side = SIZE // 3, tile_side(SIZE, 3, 0.3)
    edge = (cell - side) // 2
    for row, words in enumerate(target.captions):
        for place in (AROUND[words], 4):
            top, left = place // 3 * cell, place % 3 * cell
            inner = slice(top + edge, top + edge + side), slice(left + edge, left + edge + side)
            patch = target.images[row][:, inner[0], inner[1]]
            pieces = batch.views[0][row][:, top : top + cell, left : left + cell].unfold(1, side, 1).unfold(2, side, 1)
            assert (pieces.permute(1, 2, 0, 3, 4) == patch).all(dim=(2, 3, 4)).any(), words
    assert answer.right == tuple(a == b for a, b in zip(answer.captions, target.captions, strict=True))
    assert len(set(target.captions)) > 3


def test_color_fringes_are_taken_out() -> None:
    batch = make_batch(INFO, batch=6)
    shown = {}
    for colors in ("keep", "drop", "project"):
        method = build(INFO, msgspec.structs.replace(slim(INFO), colors=colors)).eval()
        with torch.no_grad():
            shown[colors] = method.exhibit(batch, progress(0))[0].images
    there = shown["drop"].abs().sum((2, 3)) > 0
    assert (there.sum(dim=1) == 1).all(), "one channel is left"
    assert torch.equal(shown["drop"][there], shown["keep"][there])
    green_magenta = torch.tensor([-1.0, 2.0, -1.0])
    along = torch.einsum("bchw,c->bhw", shown["project"], green_magenta)
    torch.testing.assert_close(along, torch.zeros_like(along), atol=1e-5, rtol=0)
