import pytest
import torch

from workbench.method.decoders import ImageDecoder, MapDecoder


@pytest.mark.parametrize(("size", "channels", "side"), [(8, 1, 4), (32, 3, 4), (36, 5, 5), (50, 3, 7), (96, 2, 6)])
def test_an_image_decoder_paints_any_size_and_channels(size: int, channels: int, side: int) -> None:
    decoder = ImageDecoder(20, 6, channels, size, width=64)
    assert decoder.side == side
    assert decoder(torch.randn(2, 20)).shape == (2, channels, size, size)


def test_nothing_passes_but_the_bottleneck() -> None:
    decoder = ImageDecoder(20, 2, 3, 16, width=16).eval()
    directions = torch.linalg.svd(decoder.narrow.weight)[2][2:]
    features = torch.randn(1, 20)
    torch.testing.assert_close(decoder(features + 9 * directions), decoder(features).expand(18, -1, -1, -1))


@pytest.mark.parametrize(("maps", "side"), [((2, 2), 16), ((4, 4), 16), ((7, 5), 30), ((3, 3), 9)])
def test_a_map_decoder_answers_at_any_size(maps: tuple[int, int], side: int) -> None:
    assert MapDecoder(10, 313, side, width=16)(torch.randn(2, 10, *maps)).shape == (2, 313, side, side)


def test_a_map_decoder_keeps_what_is_where() -> None:
    decoder = MapDecoder(10, 2, 32, width=16).eval()
    maps = torch.zeros(1, 10, 8, 8)
    changed = maps.clone()
    changed[:, :, 1, 6] = 5
    apart = (decoder(changed) - decoder(maps)).abs().sum(dim=(0, 1))
    assert apart[:12, 20:].sum() > 0
    assert apart[14:].sum() == 0
    assert apart[:, :16].sum() == 0
