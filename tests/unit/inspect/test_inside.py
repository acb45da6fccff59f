"""Maps as colors, light and masks, beside scikit-learn and slow loops."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from workbench.inspect import inside

MAPS = torch.randn(4, 16, 5, 6, generator=torch.Generator().manual_seed(0)) * torch.linspace(3, 0.1, 16).view(
    1, -1, 1, 1
)


def test_colors_are_the_principal_components_of_all_places() -> None:
    colors = inside.map_colors(MAPS)
    assert colors.shape == (4, 3, 5, 6)
    assert colors.min() == 0
    assert colors.max() == 1
    rows = MAPS.permute(0, 2, 3, 1).reshape(-1, 16).numpy()
    expected = PCA(3).fit_transform(rows)
    mine = colors.permute(0, 2, 3, 1).reshape(-1, 3).numpy()
    for component in range(3):
        inner = (mine[:, component] > 0) & (mine[:, component] < 1)
        likeness = np.corrcoef(mine[inner, component], expected[inner, component])[0, 1]
        assert abs(likeness) == pytest.approx(1, abs=1e-4)


def test_few_channels_leave_colors_dark() -> None:
    assert inside.map_colors(MAPS[:, :2])[:, 2].max() == 0


def test_saliency_is_the_projection_on_the_first_direction() -> None:
    shown = inside.saliency(MAPS.abs())
    for image in range(4):
        rows = MAPS.abs()[image].flatten(1).T.double().numpy()
        left, scale, _ = np.linalg.svd(rows, full_matrices=False)
        expected = left[:, 0] * scale[0]
        expected = np.maximum(expected * np.sign(expected.sum()), 0)
        np.testing.assert_allclose(shown[image].flatten().numpy(), expected / expected.max(), atol=1e-5)


def test_the_strongest_channels_vary_the_most() -> None:
    numbers, found = inside.strongest_channels(MAPS, 3)
    deviations = [MAPS[:, channel].std(correction=0).item() for channel in range(16)]
    assert numbers.tolist() == sorted(range(16), key=lambda channel: -deviations[channel])[:3]
    assert found.shape == (4, 3, 5, 6)
    assert found.amin(dim=(0, 2, 3)).tolist() == [0, 0, 0]
    assert found.amax(dim=(0, 2, 3)).tolist() == [1, 1, 1]


def test_likeness_is_the_cosine_with_one_place() -> None:
    cosine = inside.likeness(MAPS, 2, (1, 4))
    wanted = MAPS[2, :, 1, 4]
    assert cosine[2, 1, 4].item() == pytest.approx(1, abs=1e-5)
    for image, row, column in ((0, 0, 0), (3, 4, 5)):
        here = MAPS[image, :, row, column]
        expected = torch.nn.functional.cosine_similarity(here, wanted, dim=0)
        assert cosine[image, row, column].item() == pytest.approx(expected.item(), abs=1e-5)


def test_a_mask_holds_the_mass_in_the_fewest_places() -> None:
    weights = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(1))
    kept = inside.object_mask(weights, 0.6)
    for image in range(3):
        values = sorted(weights[image].flatten().tolist(), reverse=True)
        total, count = 0.0, 0
        while total < 0.6 * sum(values):
            total += values[count]
            count += 1
        assert int(kept[image].sum()) == count
        assert weights[image][kept[image]].min() > weights[image][~kept[image]].max()


def test_jaccard_counts_places() -> None:
    found = torch.rand(5, 6, 7) < 0.5
    true = torch.rand(5, 6, 7) < 0.4
    found[4], true[4] = False, False
    for image, index in enumerate(inside.jaccard(found, true).tolist()):
        both = either = 0
        for one, other in zip(found[image].flatten().tolist(), true[image].flatten().tolist(), strict=True):
            both += one and other
            either += one or other
        assert index == pytest.approx(both / either if either else 1)


def test_a_box_in_the_middle_has_about_the_area() -> None:
    box = inside.center_box((40, 60), 0.25)
    assert box.float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert torch.equal(box, box.flip(0).flip(1))
