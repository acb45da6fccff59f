"""Counter-based draws: the published hash, the right distributions, and nothing shared between keys."""

import numpy as np
import pytest
import torch

from workbench.augment.draws import Draws, mix, sample_keys
from workbench.augment.field import normal_field, paired_fields, uniform_field

KEYS = sample_keys(0, 0, torch.arange(20_000), 0)
DRAWS = Draws(KEYS)


def test_splitmix64_of_the_paper() -> None:
    """The first outputs of the reference generator for seed 1234567 (splitmix64.c by Vigna)."""
    golden = 0x9E3779B97F4A7C15
    states = np.array([(1234567 + (k + 1) * golden) % 2**64 for k in range(5)], dtype=np.uint64)
    assert mix(states).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_keys_depend_on_everything_and_never_meet() -> None:
    base = sample_keys(1, 2, torch.arange(1000), 3)
    others = [sample_keys(*args) for args in ((2, 2, torch.arange(1000), 3), (1, 3, torch.arange(1000), 3))]
    others += [sample_keys(1, 2, torch.arange(1000, 2000), 3), sample_keys(1, 2, torch.arange(1000), 2)]
    assert len(set(torch.cat([base, *others]).tolist())) == 5000
    assert torch.equal(sample_keys(1, 2, torch.tensor([7, 3]), 3), base[[7, 3]])


def test_draws_stay_as_they_are() -> None:
    """Chains of old runs are shown again from their seeds: these numbers may never change."""
    draws = Draws(sample_keys(7, 1, torch.tensor([0, 1]), 0)).for_op("color_jitter")
    assert draws.uniform("brightness").tolist() == pytest.approx([0.8543395, 0.6807847], abs=1e-6)
    assert draws.order("order", 4).tolist() == [[1, 3, 0, 2], [0, 2, 1, 3]]


def test_streams_slots_and_occurrences_are_independent() -> None:
    streams = [
        DRAWS.uniform("a"),
        DRAWS.uniform("b"),
        DRAWS.uniform(0),
        DRAWS.for_op("x").uniform("a"),
        DRAWS.for_op("x", 1).uniform("a"),
        DRAWS.for_op("y").uniform("a"),
        *DRAWS.uniform("a", count=3).unbind(1)[1:],
        Draws(sample_keys(0, 0, torch.arange(20_000), 1)).uniform("a"),
        Draws(sample_keys(0, 1, torch.arange(20_000), 0)).uniform("a"),
        Draws(sample_keys(1, 0, torch.arange(20_000), 0)).uniform("a"),
        DRAWS.uniform("a").roll(1),
    ]
    correlation = torch.corrcoef(torch.stack(streams)) - torch.eye(len(streams))
    assert correlation.abs().max() < 0.035


def test_uniform() -> None:
    values = DRAWS.uniform("u", 2.0, 4.0, count=5)
    assert values.shape == (20_000, 5)
    assert values.dtype == torch.float32
    assert values.min() >= 2
    assert values.max() < 4
    counts = torch.histc(values, bins=50, min=2, max=4)
    assert ((counts - 2000).square() / 2000).sum() < 90  # chi-square, 49 degrees of freedom: 85 is one in a thousand


def test_normal() -> None:
    values = DRAWS.normal("n", 1.0, 2.0, count=5)
    assert bool(torch.isfinite(values).all())
    assert abs(float(values.mean()) - 1) < 0.02
    assert abs(float(values.std()) - 2) < 0.02
    assert abs(float((values < 3).float().mean()) - 0.8413) < 0.005


def test_flags_integers_and_orders() -> None:
    assert not DRAWS.flags(0).any()
    assert DRAWS.flags(1).all()
    assert abs(float(DRAWS.flags(0.2).float().mean()) - 0.2) < 0.01
    counts = torch.bincount(DRAWS.integers("i", 6), minlength=6)
    assert counts.numel() == 6
    assert (counts - 20_000 / 6).abs().max() < 250
    orders = DRAWS.order("o", 4)
    assert torch.equal(orders.sort(dim=1).values, torch.arange(4).expand(20_000, 4))
    assert len({tuple(order) for order in orders.tolist()}) == 24


def test_the_callers_keys_are_left_alone() -> None:
    before = KEYS.clone()
    DRAWS.uniform("u", count=3)
    DRAWS.for_op("x")
    DRAWS.words("w")
    assert torch.equal(KEYS, before)


@pytest.mark.parametrize("count", [1, 7, 4096])
def test_fields(count: int) -> None:
    keys = DRAWS.words("field")[:64]
    uniform, normal = uniform_field(keys, count), normal_field(keys, count)
    assert all(torch.equal(*pair) for pair in zip(paired_fields(keys, count), (uniform, normal), strict=True))
    assert uniform.shape == normal.shape == (64, count)
    assert torch.equal(normal_field(keys[5:6], count)[0], normal[5])
    assert torch.equal(normal_field(keys, max(1, count // 2)), normal[:, : max(1, count // 2)])
    if count == 4096:
        assert abs(float(uniform.mean()) - 0.5) < 0.002
        assert uniform.min() > 0
        assert uniform.max() < 1
        assert abs(float(normal.mean())) < 0.005
        assert abs(float(normal.std()) - 1) < 0.005
        assert abs(float(normal.pow(4).mean()) - 3) < 0.05


def test_field_words_are_those_of_splitmix64() -> None:
    """The torch hash against the numpy one."""
    key, golden = 1234567, 0x9E3779B97F4A7C15
    states = np.array([(key + (k + 1) * golden) % 2**64 for k in range(3)], dtype=np.uint64)
    expected = (mix(states).view(np.int16).astype(np.int64) + 32768 + 0.5) / 65536
    assert uniform_field(torch.tensor([key]), 12)[0].tolist() == pytest.approx(expected.tolist(), abs=1e-7)
