"""What views do to images: shared area by brute force, effects and shortcuts on cases whose answer is known."""

import numpy as np
import pytest
import torch

from workbench.catalog.registry import load_registry
from workbench.evaluate.views import check_views
from workbench.inspect.overlap import outside as share_outside
from workbench.inspect.overlap import overlap
from workbench.inspect.views import Sample, coarse, colors, effects, identical, make, matched, readable
from workbench.spec.experiment import OpSpec, ViewSpec
from workbench.spec.fitting import fit_to
from workbench.spec.viewfacts import ViewFacts

OPS = load_registry().ops


def sample(n: int = 24, *, gray: bool = False, channels: int = 3, size: int = 32) -> Sample:
    """Soft spots, the same in all channels where `gray`."""
    coarse_spots = torch.rand(n, 1 if gray else channels, 5, 5, generator=torch.Generator().manual_seed(1))
    spots = torch.nn.functional.interpolate(coarse_spots, size=size, mode="bicubic").clamp(0.02, 0.98)
    spots = spots.expand(-1, channels, -1, -1)
    return Sample(pixels=(spots * 255).byte().contiguous(), ids=torch.arange(n), seed=0)


def plan(*chain: OpSpec, count: int = 2, size: int = 32) -> tuple[ViewSpec, ...]:
    return (ViewSpec(count=count, size=size, chain=chain),)


def titles(facts: ViewFacts) -> list[str]:
    return [found.title for found in facts.findings]


def box(left: float, top: float, right: float, bottom: float, *, mirrored: bool = False) -> list[list[float]]:
    corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
    return [corners[1], corners[0], corners[3], corners[2]] if mirrored else corners


def test_overlap_of_boxes_and_of_a_diamond() -> None:
    first = np.array([box(0, 0, 0.5, 1), box(0, 0, 1, 1), box(0, 0, 0.25, 0.25), box(0.1, 0.1, 0.6, 0.6)])
    second = np.array(
        [box(0.25, 0, 0.75, 1), box(0, 0, 0.5, 0.5, mirrored=True), box(0.5, 0.5, 1, 1),
         [[0.5, 0.0], [1.0, 0.5], [0.5, 1.0], [0.0, 0.5]]]
    )  # fmt: skip
    assert overlap(first, second) == pytest.approx([0.5, 1.0, 0.0, 0.82], abs=0.03)


def test_overlap_is_counted_as_a_loop_would() -> None:
    draw = np.random.default_rng(3)
    low, side = draw.random((40, 2, 2)) * 0.6, 0.2 + draw.random((40, 2, 2)) * 0.2
    boxes = np.concatenate([low, low + side], axis=2)
    expected = []
    for one, other in boxes:
        wide = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
        high = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
        smaller = min((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
        expected.append(wide * high / smaller)
    made = overlap(np.array([box(*one) for one in boxes[:, 0]]), np.array([box(*other) for other in boxes[:, 1]]))
    assert np.abs(made - expected).max() < 0.12
    assert abs(made.mean() - np.mean(expected)) < 0.02


def test_what_lies_outside() -> None:
    assert share_outside(np.array([box(0, 0, 1, 1)])) == 0
    assert share_outside(np.array([box(-0.5, 0, 0.5, 1)])) == pytest.approx(0.5)


def test_small_crops_rarely_meet_and_the_fix_mends_it() -> None:
    tiny = plan(OpSpec(op="random_resized_crop", params={"scale": [0.05, 0.1]}))
    facts = check_views(tiny, sample(), ops=OPS)
    assert facts.apart > 0.4
    assert sum(facts.overlap) == pytest.approx(1)
    found = next(found for found in facts.findings if found.title == "Crops rarely meet.")
    assert (found.kind, found.place) == (0, 0)
    assert f"{100 * facts.apart:.0f} %" in found.text
    mended = check_views(found.views, sample(), ops=OPS)
    assert mended.apart < 0.05
    assert "Crops rarely meet." not in titles(mended)


def test_color_ops_change_nothing_on_gray_pictures() -> None:
    chain = (OpSpec(op="random_resized_crop"), OpSpec(op="grayscale"), OpSpec(op="gaussian_blur"))
    facts = check_views(plan(*chain), sample(gray=True), ops=OPS)
    found = next(found for found in facts.findings if "changes nothing" in found.title)
    assert found.title.startswith("Grayscale")
    assert found.place == 1
    assert not found.views[0].chain[1].enabled
    assert not any("changes nothing" in title for title in titles(check_views(plan(*chain), sample(), ops=OPS)))


@pytest.mark.parametrize("channels", [1, 3])
def test_strengths_that_change_nothing_are_named_and_set_to_0(channels: int) -> None:
    """Gray images, whether in one channel or in three equal ones: hue and saturation are in vain."""
    gray = sample(gray=True, channels=channels)
    chain = (OpSpec(op="random_resized_crop"), OpSpec(op="color_jitter", params={"hue": 0.2}))
    facts = check_views(plan(*chain), gray, ops=OPS)
    found = next(found for found in facts.findings if "nothing" in found.title)
    assert found.title == "Saturation and hue change nothing on these images."
    assert (found.place, found.fix) == (1, "Set them to 0")
    mended = found.views[0].chain[1].params
    assert (mended["saturation"], mended["hue"]) == (0, 0)
    assert "brightness" not in mended
    assert not any("nothing" in title for title in titles(check_views(found.views, gray, ops=OPS)))


@pytest.mark.parametrize("channels", [1, 3])
def test_what_holds_for_all_kinds_is_said_once_and_mended_in_all(channels: int) -> None:
    gray = sample(gray=True, channels=channels)
    chain = (OpSpec(op="random_resized_crop"), OpSpec(op="color_jitter"), OpSpec(op="grayscale"))
    views = tuple(ViewSpec(name=name, count=1, size=32, chain=chain) for name in ("A", "B"))
    found = [one for one in check_views(views, gray, ops=OPS).findings if "nothing" in one.title]
    assert len(found) == 2
    assert all(one.text.endswith("It is so in “A” and “B”.") for one in found)
    again = [one for one in check_views(found[0].views, gray, ops=OPS).findings if "nothing" in one.title]
    assert [one.title for one in again] == [found[1].title]
    assert not any("nothing" in title for title in titles(check_views(again[0].views, gray, ops=OPS)))


def test_published_chains_are_not_warned_of_on_pictures_in_color() -> None:
    presets = {preset.name: preset for preset in load_registry().presets}
    for name in ("moco-v2", "byol", "vicreg", "dino", "gentle", "masked", "rotation", "rebuilding"):
        views = fit_to(presets[name], size=32, channels="rgb", scaled=True)
        said = titles(check_views(views, sample(), ops=OPS))
        allowed = {"Pairs are easy.", "Colors give pairs away."} if name == "gentle" else set()
        assert set(said) <= allowed, name


def test_a_chain_that_does_nothing_makes_views_identical() -> None:
    facts = check_views(plan(), sample(), ops=OPS)
    assert facts.identical == 1
    assert facts.by_pixels == facts.by_colors == 1
    assert titles(facts) == ["Views are identical."]


def test_weak_chains_are_easy_and_strong_ones_are_not() -> None:
    weak = check_views(plan(OpSpec(op="gaussian_noise", params={"p": 1.0, "sigma": [0.01, 0.01]})), sample(), ops=OPS)
    assert "Pairs are easy." in titles(weak)
    assert weak.by_pixels == 1
    strong = plan(
        OpSpec(op="random_resized_crop", params={"scale": [0.1, 0.2]}), OpSpec(op="rotation", params={"degrees": 180.0})
    )
    facts = check_views(strong, sample(), ops=OPS)
    assert facts.by_pixels < 0.5


def test_colors_alone_give_pairs_away() -> None:
    """Flat pictures of one color each: shape tells nothing, color all."""
    flat = torch.randint(20, 236, (24, 3, 1, 1), generator=torch.Generator().manual_seed(0))
    images = Sample(pixels=flat.expand(-1, -1, 32, 32).byte().contiguous(), ids=torch.arange(24), seed=0)
    noisy = plan(OpSpec(op="gaussian_noise", params={"p": 1.0, "sigma": [0.02, 0.02]}))
    facts = check_views(noisy, images, ops=OPS)
    assert facts.by_colors > 0.8 > facts.by_pixels
    assert "Colors give pairs away." in titles(facts)


def test_clipping_and_black_corners() -> None:
    bright = plan(OpSpec(op="random_resized_crop"), OpSpec(op="window_level", params={"p": 1.0, "width": [0.1, 0.1]}))
    facts = check_views(bright, sample(), ops=OPS)
    assert facts.clipped > 0.3
    assert "Window and level clips." in titles(facts)
    turned = check_views(plan(OpSpec(op="affine", params={"scale": [0.3, 0.3], "degrees": 0.0})), sample(), ops=OPS)
    assert turned.outside > 0.8
    assert turned.clipped < 0.02, "what is not there is not clipped"
    assert "Views reach outside the image." in titles(turned)


def test_factors_that_views_take_away_are_named_with_the_op() -> None:
    n = 120
    hues = torch.arange(n) % 3
    pixels = torch.full((n, 3, 16, 16), 40, dtype=torch.uint8)
    pixels[torch.arange(n), hues] = 220
    pixels += torch.randint(0, 20, pixels.shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = Sample(pixels=pixels, ids=torch.arange(n), seed=0)
    factors = {"color": [("red", "green", "blue")[int(hue)] for hue in hues], "id": [str(i) for i in range(n)],
               "coin": [str(i // 7 % 2) for i in range(n)]}  # fmt: skip
    chain = (OpSpec(op="random_resized_crop"), OpSpec(op="color_jitter", params={"hue": 0.5, "p": 1.0}))
    facts = check_views(plan(*chain, size=16), images, ops=OPS, factors=factors)
    assert [factor.column for factor in facts.factors] == ["color"]
    assert facts.factors[0].originals == 1
    assert facts.factors[0].views < 0.7
    found = next(found for found in facts.findings if "color" in found.title)
    assert found.place == 1
    assert "Color jitter does the most" in found.text
    kept = check_views(plan(chain[0], size=16), images, ops=OPS, factors=factors)
    assert kept.factors[0].views == 1
    assert not any("taken away" in title for title in titles(kept))


@pytest.mark.parametrize("channels", [1, 5])
def test_other_channels_single_views_and_tiny_folders(channels: int) -> None:
    chain = (OpSpec(op="random_resized_crop"), OpSpec(op="color_jitter"))
    local = ViewSpec(name="local", role="local", count=3, size=12, chain=chain)
    facts = check_views((*plan(*chain, count=1), local), sample(2, channels=channels), ops=OPS)
    assert (facts.images, facts.apart, facts.by_pixels) == (2, -1, -1)
    assert facts.overlap == ()


def test_measures_agree_with_loops() -> None:
    images = sample(10)
    first, second = make(plan(OpSpec(op="random_resized_crop")), images, OPS)
    assert identical(first, first) == 1
    assert identical(first, second) == 0
    for describe in (coarse, colors):
        one, other = describe(first), describe(second)
        hits = [int(np.argmax([a @ b for b in other]) == place) for place, a in enumerate(one)]
        hits += [int(np.argmax([a @ b for a in one]) == place) for place, b in enumerate(other)]
        assert matched(one, other) == pytest.approx(np.mean(hits))
    values = np.array([0, 1] * 5)
    assert 0 <= readable(coarse, first, values) <= 1
    found = effects(plan(OpSpec(op="random_resized_crop"), OpSpec(op="solarize", params={"p": 0.1})), images, OPS)
    assert [(effect.kind, effect.place) for effect in found] == [(0, 0), (0, 1)]
    assert found[1].mean > 1, "measured where it acts, whatever its probability"
