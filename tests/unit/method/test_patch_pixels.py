"""Pixels of patches, and the decoder that predicts them, against lightly."""

import pytest
import torch
from lightly.models import utils as lightly

from workbench.method.masking import Draw, random_split, take
from workbench.method.patch_pixels import blanked, normalized, one_color, pasted, patchify, unpatchify
from workbench.method.token_decoder import TokenDecoder, sin_cos

IMAGES = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("patch", [4, 8, 16])
def test_patches_are_those_of_lightly(patch: int, channels: int) -> None:
    images = IMAGES[:, :channels]
    patches = patchify(images, patch)
    assert torch.equal(patches, lightly.patchify(images, patch))
    assert torch.equal(unpatchify(patches, images, patch), lightly.unpatchify(patches, patch, channels))


def test_edges_are_padded_and_come_back_without_it() -> None:
    images = IMAGES[:, :, :30, :21]
    patches = patchify(images, 8)
    assert patches.shape == (3, 4 * 3, 192)
    assert torch.equal(unpatchify(patches, images, 8), images)
    assert torch.equal(patches[:, 11].view(3, 8, 8, 3)[:, 6:], torch.zeros(3, 2, 8, 3))


def test_normalized_patches_are_those_of_lightly_and_come_back() -> None:
    patches = patchify(IMAGES, 8)
    mine, mean, deviation = normalized(patches)
    torch.testing.assert_close(mine * (191 / 192) ** 0.5, lightly.normalize_mean_var(patches))
    torch.testing.assert_close(mine.square().mean(dim=2), torch.ones(3, 16))
    torch.testing.assert_close(mine * deviation + mean, patches)
    assert torch.equal(normalized(torch.ones(1, 1, 48))[0], torch.zeros(1, 1, 48))


def test_patches_are_pasted_and_blanked_where_asked() -> None:
    where = torch.zeros(3, 16, dtype=torch.bool)
    where[:, 5] = True
    patches = torch.full((3, 16, 192), 7.0)
    expected = IMAGES.clone()
    expected[:, :, 8:16, 8:16] = 7
    assert torch.equal(pasted(IMAGES, patches, where, 8), expected)
    expected[:, :, 8:16, 8:16] = 0
    assert torch.equal(blanked(IMAGES, where, 8), expected)


def test_one_color_is_the_mean_of_what_is_visible() -> None:
    hidden = random_split(Draw(torch.arange(3), epoch=0), 16, 0.6).mask()
    painted = unpatchify(one_color(patchify(IMAGES, 8), hidden, 3), IMAGES, 8)
    visible = ~hidden.view(3, 1, 4, 4).repeat_interleave(8, dim=2).repeat_interleave(8, dim=3)
    for number in range(3):
        color = IMAGES[number][visible[number].expand(3, -1, -1)].view(3, -1).mean(dim=1)
        torch.testing.assert_close(painted[number], color[:, None, None].expand(3, 32, 32))


@pytest.mark.parametrize("width", [16, 64])
def test_positions_are_those_of_lightly(width: int) -> None:
    theirs = lightly.get_2d_sine_cosine_positional_embedding(width, 5, cls_token=False)
    mine = sin_cos((5, 5), width, device=torch.device("cpu"))
    torch.testing.assert_close(mine, torch.from_numpy(theirs).float())


def test_positions_tell_all_places_apart_at_any_width_and_shape() -> None:
    positions = sin_cos((3, 5), 18, device=torch.device("cpu"))
    assert positions.shape == (15, 18)
    assert len(positions.unique(dim=0)) == 15


def test_the_decoder_answers_for_places_whatever_the_order_of_what_it_knows() -> None:
    torch.manual_seed(0)
    decoder = TokenDecoder(12, 32, 7, layers=2, prefix=1).eval()
    torch.nn.init.normal_(decoder.leave.weight)
    tokens = torch.randn(3, 1 + 4, 12)
    split = random_split(Draw(torch.arange(3), epoch=0), 16, 0.75)
    answer = decoder(tokens, split.visible, split.hidden, (4, 4))
    assert answer.shape == (3, 12, 7)
    mixed = torch.tensor([2, 0, 3, 1])
    moved = torch.cat((tokens[:, :1], tokens[:, 1:][:, mixed]), dim=1)
    torch.testing.assert_close(decoder(moved, split.visible[:, mixed], split.hidden, (4, 4)), answer)
    fewer = take(split.hidden[..., None], torch.tensor([[1], [1], [1]]))[..., 0]
    assert decoder(tokens, split.visible, fewer, (4, 4)).shape == (3, 1, 7)
    assert (answer[:, 0] - answer[:, 1]).abs().max() > 1e-3, "a place of its own"
    assert (decoder(tokens + 1 - tokens[:, :1], split.visible, split.hidden, (4, 4)) - answer).abs().max() > 1e-3
