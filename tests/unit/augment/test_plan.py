"""A view depends on (seed, epoch, row, view) alone, and what is shown is what is fed."""

from typing import Any

import msgspec
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from workbench.augment import geometry
from workbench.augment.pixels import as_levels
from workbench.augment.plan import ShownView, ViewPlan
from workbench.augment.takes import Takes
from workbench.catalog.registry import load_registry
from workbench.spec.errors import NotFoundError, SpecError
from workbench.spec.experiment import OpSpec, ViewSpec

OPS = load_registry().ops
SIMCLR = (
    OpSpec(op="random_resized_crop"),
    OpSpec(op="horizontal_flip"),
    OpSpec(op="color_jitter"),
    OpSpec(op="grayscale"),
    OpSpec(op="gaussian_blur"),
)


def pixels(n: int, *, channels: int = 3, size: int = 20) -> Tensor:
    return torch.randint(0, 256, (n, channels, size, size), generator=torch.Generator().manual_seed(1)).byte()


def plan(*chain: OpSpec, size: int = 16, count: int = 1) -> ViewPlan:
    return ViewPlan([ViewSpec(chain=chain, size=size, count=count)], OPS)


def made(chosen: ViewPlan, images: Tensor, ids: Tensor, seed: int = 0, epoch: int = 0) -> list[Tensor]:
    return chosen.make(images, seed=seed, epoch=epoch, ids=ids)


@st.composite
def op_specs(draw: st.DrawFn) -> OpSpec:
    info = OPS[draw(st.sampled_from(sorted(OPS)))]
    params: dict[str, Any] = {}
    for param in info.card().params:
        if param.name == "p":
            params["p"] = draw(st.sampled_from([0.0, 0.5, 1.0]))
        elif param.kind == "range":
            assert param.low is not None
            assert param.high is not None
            params[param.name] = sorted(draw(st.tuples(*[st.floats(param.low, param.high)] * 2)))
        elif param.kind == "float":
            params[param.name] = draw(st.floats(param.low, param.high))
        elif param.kind == "choice":
            params[param.name] = draw(st.sampled_from(param.choices))
    return OpSpec(op=info.name, enabled=draw(st.booleans()) or draw(st.booleans()), params=params)


chains = st.lists(op_specs(), max_size=6).map(tuple)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    chain=chains,
    stored=st.sampled_from([8, 16, 21, 33]),
    size=st.sampled_from([8, 16, 19]),
    channels=st.sampled_from([1, 3]),
    order=st.permutations(range(9)),
    cut=st.integers(1, 8),
    seed=st.integers(0, 2**31 - 1),
)
def test_neither_order_nor_size_of_the_batch_matters(
    chain: tuple[OpSpec, ...], stored: int, size: int, channels: int, order: list[int], cut: int, seed: int
) -> None:
    chosen = plan(*chain, size=size, count=2)
    images = pixels(9, channels=channels, size=stored)
    ids = torch.arange(100, 109)
    whole = made(chosen, images, ids, seed)
    shuffle = torch.tensor(order)
    first = made(chosen, images[shuffle[:cut]], ids[shuffle[:cut]], seed)
    rest = made(chosen, images[shuffle[cut:]], ids[shuffle[cut:]], seed)
    for view, batch in enumerate(whole):
        assert torch.equal(torch.cat([first[view], rest[view]]), batch[shuffle])
    together = chosen.make(images, seed=seed, epoch=0, ids=ids, together=True)  # As on a GPU.
    assert all(torch.equal(one, other) for one, other in zip(together, whole, strict=True))
    shown = chosen.show(images[shuffle[:1]], seed=seed, epoch=0, ids=ids[shuffle[:1]])
    for view, batch in enumerate(whole):
        assert torch.equal(shown[view].pictures, as_levels(batch[shuffle[:1]]))
        steps = chosen.steps(images[shuffle[:1]], seed=seed, epoch=0, ids=ids[shuffle[:1]], view=view)
        assert [step[:3] for step in steps] == shown[view].texts[0]
        if steps:
            assert torch.equal(steps[-1].image, batch[shuffle[0]])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_large_views_in_parts_and_threads(threads: int) -> None:
    """On a CPU a batch goes through in parts, and torch splits large tensors among threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        chain = [*SIMCLR, OpSpec(op="gamma", params={"p": 1.0}), OpSpec(op="gaussian_noise", params={"p": 1.0})]
        for channels in (1, 3):
            chosen = plan(*chain, OpSpec(op="erasing", params={"p": 1.0}), size=207)
            images = pixels(4, channels=channels, size=230)
            ids = torch.arange(4)
            whole = made(chosen, images, ids)[0]
            for item in (0, 3):
                one = slice(item, item + 1)
                assert torch.equal(made(chosen, images[one], ids[one])[0], whole[one])
    finally:
        torch.set_num_threads(before)


def test_seed_epoch_row_and_view_all_matter() -> None:
    chosen = plan(*SIMCLR, count=2)
    image = pixels(1)
    base, second = made(chosen, image, torch.tensor([5]))
    assert not torch.equal(base, second)
    assert not torch.equal(base, made(chosen, image, torch.tensor([6]))[0])
    assert not torch.equal(base, made(chosen, image, torch.tensor([5]), epoch=1)[0])
    assert not torch.equal(base, made(chosen, image, torch.tensor([5]), seed=1)[0])
    assert torch.equal(base, made(chosen, image, torch.tensor([5]))[0])


def test_pixels_are_not_written_to() -> None:
    images = pixels(3)
    before = images.clone()
    made(plan(*SIMCLR), images, torch.arange(3))
    made(plan(OpSpec(op="solarize", params={"p": 1.0}), size=20), images, torch.arange(3))
    assert torch.equal(images, before)


def test_switching_off_adding_and_moving_leaves_other_draws_alone() -> None:
    images, ids = pixels(6), torch.arange(6)

    def texts(*chain: OpSpec) -> dict[str, list[str]]:
        shown = plan(*chain).show(images, seed=0, epoch=0, ids=ids)[0]
        return {told.op: [texts[n].text for texts in shown.texts] for n, told in enumerate(shown.texts[0])}

    usual = texts(*SIMCLR)
    off = texts(SIMCLR[0], msgspec.structs.replace(SIMCLR[1], enabled=False), *SIMCLR[2:])
    assert off == {name: told for name, told in usual.items() if name != "horizontal_flip"}
    moved = texts(OpSpec(op="solarize"), *reversed(SIMCLR))
    assert {name: moved[name] for name in usual} == usual
    twice = [OpSpec(op="gaussian_noise", params={"p": 1.0}), OpSpec(op="gaussian_noise", params={"p": 1.0})]
    both = plan(*twice).show(images, seed=0, epoch=0, ids=ids)[0].texts
    only = plan(msgspec.structs.replace(twice[0], enabled=False), twice[1]).show(images, seed=0, epoch=0, ids=ids)
    assert [told[1:] for told in both] == only[0].texts
    assert both[0][0] != both[0][1]


def test_names_roles_and_sizes() -> None:
    views = [ViewSpec(name="global", count=2, size=32), ViewSpec(name="local", role="local", count=3, size=16)]
    chosen = ViewPlan([*views, ViewSpec(name="extra", count=1, size=24)], OPS)
    assert chosen.names == ("global 1", "global 2", "local 1", "local 2", "local 3", "extra")
    assert chosen.roles == ("global", "global", "local", "local", "local", "global")
    assert chosen.kinds == (0, 0, 1, 1, 1, 2)
    shapes = [tuple(view.shape) for view in made(chosen, pixels(2), torch.arange(2))]
    assert shapes == [(2, 3, size, size) for size in chosen.sizes]


def test_an_empty_chain_is_the_image_and_a_crop_shows_where_it_lies() -> None:
    images = pixels(2, size=16)
    assert torch.equal(made(plan(size=16), images, torch.arange(2))[0], images / 255)
    crop = OpSpec(op="center_crop", params={"side": 0.5})
    shown = plan(crop, OpSpec(op="vertical_flip", params={"p": 1.0})).show(images, seed=0, epoch=0, ids=torch.arange(2))
    assert shown[0].corners[1].tolist() == [[0.25, 0.75], [0.75, 0.75], [0.75, 0.25], [0.25, 0.25]]
    assert [told.text for told in shown[0].texts[0]] == ["0.25 of the area", "yes"]


def test_corners_reach_through_separate_runs() -> None:
    crop = OpSpec(op="center_crop", params={"side": 0.5})
    shown = plan(crop, OpSpec(op="solarize"), crop).show(pixels(1), seed=0, epoch=0, ids=torch.arange(1))
    assert shown[0].corners[0].tolist() == [[0.375, 0.375], [0.625, 0.375], [0.625, 0.625], [0.375, 0.625]]


def test_texts_of_the_simclr_chain() -> None:
    shown = plan(
        OpSpec(op="random_resized_crop", params={"scale": [0.39, 0.39], "ratio": [1.0, 1.0]}),
        OpSpec(op="color_jitter", params={"p": 1.0, "contrast": 0.0, "saturation": 0.0}),
        OpSpec(op="gaussian_blur", params={"p": 1.0, "sigma": [1.6, 1.6]}),
        OpSpec(op="grayscale", params={"p": 0.0}),
    ).show(pixels(1), seed=0, epoch=0, ids=torch.arange(1))
    crop, jitter, blur, gray = [told.text for told in shown[0].texts[0]]
    assert (crop, blur, gray) == ("0.39 of the area", "σ 1.6", "no")
    assert jitter.startswith("b ")
    assert " hue " in jitter


def test_gray_images_have_no_color_to_change() -> None:
    images = pixels(4, channels=1, size=16)
    chain = [OpSpec(op="color_jitter", params={"brightness": 0.0, "contrast": 0.0, "p": 1.0}), OpSpec(op="grayscale")]
    assert torch.equal(made(plan(*chain), images, torch.arange(4))[0], images / 255)


edits = st.lists(
    st.tuples(st.sampled_from(["change", "insert", "remove", "size", "seed", "images"]), st.integers(0, 5), op_specs()),
    min_size=2,
    max_size=6,
)


def assert_same_views(views: list[ShownView], others: list[ShownView]) -> None:
    for view, other in zip(views, others, strict=True):
        assert torch.equal(view.pictures, other.pictures)
        assert torch.equal(view.corners, other.corners)
        assert view.texts == other.texts


class TestTakes:
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(chain=chains, edits=edits, channels=st.sampled_from([1, 3]), room=st.sampled_from([1 << 30, 0]))
    def test_whatever_is_edited_views_are_as_if_made_anew(
        self, chain: tuple[OpSpec, ...], edits: list[tuple[str, int, OpSpec]], channels: int, room: int
    ) -> None:
        takes, ids = Takes(room), torch.arange(5)
        stored, size, seed, picked = pixels(5, channels=channels), 16, 0, 0
        for kind, number, spec in [("none", 0, OpSpec(op="grayscale")), *edits]:
            place = number % max(1, len(chain))
            if kind == "change" and chain:
                chain = (*chain[:place], spec, *chain[place + 1 :])
            elif kind == "insert":
                chain = (*chain[:place], spec, *chain[place:])
            elif kind == "remove":
                chain = (*chain[:place], *chain[place + 1 :])
            size += kind == "size"
            seed += kind == "seed"
            if kind == "images":
                picked += 1
                stored = stored.flip(0)
            takes.turn_to(str(picked))
            chosen = plan(*chain, size=size, count=2)
            shown = chosen.show(stored, seed=seed, epoch=0, ids=ids, takes=takes)
            assert_same_views(shown, chosen.show(stored, seed=seed, epoch=0, ids=ids))
            one = slice(number % 5, number % 5 + 1)
            steps = chosen.steps_shown(stored, shown, takes, view=1, item=one.start)
            fresh = chosen.steps(stored[one], seed=seed, epoch=0, ids=ids[one], view=1)
            assert [step[:3] for step in steps] == [step[:3] for step in fresh]
            assert all(torch.equal(step.image, other.image) for step, other in zip(steps, fresh, strict=True))

    @pytest.mark.parametrize(
        ("ahead", "then"),
        [
            ([OpSpec(op="grayscale")], [OpSpec(op="grayscale"), SIMCLR[0]]),
            ([SIMCLR[0]], [SIMCLR[0], OpSpec(op="horizontal_flip", params={"p": 1.0})]),
            ([SIMCLR[0], OpSpec(op="rotation")], [SIMCLR[0], OpSpec(op="rotation", params={"degrees": 90.0})]),
            ([SIMCLR[0], SIMCLR[2]], [SIMCLR[0]]),
        ],
        ids=["geometry where there was none", "a longer resampling", "another resampling", "one less"],
    )
    def test_what_is_kept_is_not_used_where_it_would_be_something_else(
        self, ahead: list[OpSpec], then: list[OpSpec]
    ) -> None:
        takes, images, ids = Takes(), pixels(4), torch.arange(4)
        for before in (ahead, then):
            for threshold in (0.3, 0.6):  # Edited here, so that what comes in to this op is kept.
                chosen = plan(*before, OpSpec(op="solarize", params={"p": 1.0, "threshold": threshold}))
                shown = chosen.show(images, seed=0, epoch=0, ids=ids, takes=takes)
                assert_same_views(shown, chosen.show(images, seed=0, epoch=0, ids=ids))

    def test_nothing_ahead_of_an_edited_op_is_made_anew(self, monkeypatch: pytest.MonkeyPatch) -> None:
        takes, images, ids = Takes(), pixels(4), torch.arange(4)
        resampled: list[int] = []
        real = geometry.resample

        def resample(images: Tensor, *rest: Any) -> Tensor:
            resampled.append(len(images))
            return real(images, *rest)

        monkeypatch.setattr("workbench.augment.chain.resample", resample)

        def show(brightness: float) -> None:
            jitter = OpSpec(op="color_jitter", params={"brightness": brightness})
            chosen = plan(*SIMCLR[:2], jitter, *SIMCLR[3:])
            shown = chosen.show(images, seed=0, epoch=0, ids=ids, takes=takes)
            chosen.steps_shown(images, shown, takes, view=0, item=1)

        show(0.1)
        assert resampled
        show(0.2)  # Now it is known which op is edited, and what comes in to it is kept.
        resampled.clear()
        show(0.3)
        show(0.4)
        assert resampled == []


class TestMistakes:
    def test_unknown_op(self) -> None:
        with pytest.raises(NotFoundError, match=r"views\[0\]\.chain\[1\].*'solarise'; did you mean 'solarize'\?"):
            plan(OpSpec(op="grayscale"), OpSpec(op="solarise"))

    def test_bad_value(self) -> None:
        with pytest.raises(SpecError) as caught:
            plan(*SIMCLR[:2], OpSpec(op="gaussian_blur", params={"sigma": [2.0, 1.0]}))
        assert caught.value.where == "views[0].chain[2].sigma"

    def test_bad_value_of_an_op_that_is_off(self) -> None:
        with pytest.raises(SpecError, match=r"views\[0\]\.chain\[0\]\.p"):
            plan(OpSpec(op="grayscale", enabled=False, params={"p": 2.0}))

    def test_no_views(self) -> None:
        with pytest.raises(SpecError, match="views"):
            ViewPlan([], OPS)

    def test_wrong_pixels(self) -> None:
        with pytest.raises(ValueError, match="uint8"):
            made(plan(), pixels(2).float(), torch.arange(2))
        with pytest.raises(ValueError, match="ids"):
            made(plan(), pixels(2), torch.arange(3))
