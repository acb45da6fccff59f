"""What the methods of redundancy reduction do around their losses, and how their collapses look."""

import msgspec
import pytest
import torch

from tests.contract.trial import REGISTRY, build, make_batch, progress, setting, slim
from workbench.inspect.symptoms import Fingerprint
from workbench.method.contract import Batch
from workbench.method.losses.sigreg import sigreg_of_a_point
from workbench.spec.errors import CheckError


@pytest.mark.parametrize(
    ("name", "part", "value", "sick"),
    [
        ("vicreg", "variance", 24.0, True),
        ("vicreg", "variance", 18.0, False),
        ("vicregl", "variance", 24.0, True),
        ("barlow_twins", "invariance", 204.0, True),
        ("barlow_twins", "invariance", 150.0, False),
        ("barlow_twins", "redundancy", 2000.0, True),
        ("barlow_twins", "redundancy", 300.0, False),
        ("tico", "contrast", 7.9, True),
        ("tico", "contrast", 2.0, False),
        ("w_mse", "spread", 0.1, True),
        ("w_mse", "", 1.99, True),
        ("w_mse", "", 1.8, False),
        ("lejepa", "not_normal", 0.4 * 8, True),
        ("lejepa", "not_normal", 0.3 * 8, False),
    ],
)
def test_collapses_are_told(name: str, part: str, value: float, sick: bool) -> None:
    info = REGISTRY.method(name)
    values = {f"loss/{part}" if part else "loss": value}
    sign = Fingerprint(info=info, params=info.params(), setting=setting()).read(values)
    assert (sign is not None and sign.bad) == sick


@pytest.mark.parametrize(
    ("name", "part", "worst"),
    [("vicreg", "variance", 24.75), ("tico", "contrast", 8.0), ("lejepa", "not_normal", sigreg_of_a_point(8))],
)
def test_equal_images_are_a_collapse(name: str, part: str, worst: float) -> None:
    """A projector whose weights are zero gives every image its bias."""
    info = REGISTRY.method(name)
    params = slim(info)
    if name == "tico":
        params = msgspec.structs.replace(params, covariance_momentum=0.0)
    method = build(info, params)
    last = list(method.get_submodule("projector").parameters())[-2:]
    torch.nn.init.zeros_(last[0])
    torch.nn.init.constant_(last[1], 0.0 if name == "lejepa" else 1.0)
    loss = method(make_batch(info), progress(0))
    assert loss.parts[part].item() == pytest.approx(worst, rel=0.01)
    values = {"loss": float(loss.value.detach()), f"loss/{part}": float(loss.parts[part])}
    sign = Fingerprint(info=info, params=params, setting=setting()).read(values)
    assert sign is not None
    assert sign.bad


def test_w_mse_refuses_a_batch_that_cannot_be_whitened() -> None:
    info = REGISTRY.method("w_mse")
    with pytest.raises(CheckError, match="64 entries with 32 images"):
        build(info, info.params(), batch=32)


def test_w_mse_draws_its_slices_whatever_the_order_of_the_images() -> None:
    info = REGISTRY.method("w_mse")
    method = build(info)
    batch = make_batch(info)
    order = torch.randperm(len(batch.indices), generator=torch.Generator().manual_seed(5))
    shuffled = Batch(views=tuple(view[order] for view in batch.views), indices=batch.indices[order])
    one, other = (method(given, progress(1)).value for given in (batch, shuffled))
    torch.testing.assert_close(one, other)
    assert method(batch, progress(2)).value != one


def test_lejepa_draws_other_directions_each_step_and_the_same_again() -> None:
    info = REGISTRY.method("lejepa")
    method, batch = build(info), make_batch(info)
    values = [method(batch, progress(step)).value.item() for step in (0, 1, 0)]
    assert values[0] == values[2] != values[1]


def test_at_an_alpha_of_one_vicregls_places_have_no_weight() -> None:
    info = REGISTRY.method("vicregl")
    method = build(info, msgspec.structs.replace(slim(info), alpha=1.0))
    loss = method(make_batch(info), progress(0))
    torch.testing.assert_close(loss.value.detach(), loss.parts["whole_images"])
    loss.value.backward()
    gradients = [one.grad for one in method.get_submodule("place_projector").parameters()]
    assert all(one is not None and one.abs().sum() == 0 for one in gradients)
