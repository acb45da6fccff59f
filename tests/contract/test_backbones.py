"""What every backbone of the catalog must do; a new one is tested by existing."""

import io
from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from workbench.catalog.registry import load_registry
from workbench.method.backbone import BackboneInfo, BackboneRequest, Encoder
from workbench.method.tokens import TokenEncoder

REGISTRY = load_registry()
every_backbone = pytest.mark.parametrize("info", REGISTRY.backbones.values(), ids=lambda info: str(info.name))
SIZE = 32


def request(*, channels: int = 3, size: int = SIZE, stem: Literal["small", "standard"] = "small") -> BackboneRequest:
    return BackboneRequest(channels=channels, image_size=size, stem=stem)


def images(*, count: int = 2, channels: int = 3, size: int = SIZE) -> Tensor:
    return torch.randn(count, channels, size, size, generator=torch.Generator().manual_seed(0))


@every_backbone
def test_the_card_tells_the_truth(info: BackboneInfo) -> None:
    encoder = info.build(request(size=224, stem="standard"))
    million = sum(parameter.numel() for parameter in encoder.parameters()) / 1e6
    assert million == pytest.approx(info.million_parameters, rel=0.02)
    assert encoder.dim == info.dim
    assert len(info.summary) > 40
    assert "features" in info.provides


@every_backbone
@pytest.mark.parametrize(("channels", "stem"), [(1, "small"), (3, "small"), (1, "standard")])
def test_the_library_alone_rebuilds_it(info: BackboneInfo, channels: int, stem: Literal["small", "standard"]) -> None:
    asked = request(channels=channels, stem=stem)
    encoder = info.build(asked).eval()
    namespace: dict[str, Any] = {"__name__": "elsewhere"}
    source = info.loading(asked)
    assert "workbench" not in source
    exec(compile(source, "loading", "exec"), namespace)
    model: torch.nn.Module = namespace["model"]
    model.load_state_dict(encoder.net.state_dict(), strict=True)
    batch = images(channels=channels)
    with torch.no_grad():
        features = encoder(batch)
        assert torch.equal(model.eval()(batch), features)
    assert features.shape == (2, info.dim)
    assert torch.isfinite(features).all()


@every_backbone
def test_it_gives_what_it_provides(info: BackboneInfo) -> None:
    encoder = info.build(request()).eval()
    with torch.no_grad():
        if "maps" in info.provides:
            maps = encoder.maps(images())
            assert maps.ndim == 4
            assert maps.shape[0] == 2
            assert maps.shape[2] == maps.shape[3]
            features, again = encoder.features_and_maps(images())
            torch.testing.assert_close(features, encoder(images()), rtol=1e-4, atol=1e-5)
            assert torch.equal(again, maps)
        if "tokens" in info.provides:
            tokens = encoder.tokens(images())
            assert tokens.shape[0::2] == (2, info.dim)
    for missing in {"maps", "tokens"} - set(info.provides):
        with pytest.raises(NotImplementedError):
            getattr(encoder, missing)(images())


@every_backbone
def test_a_transformer_can_be_run_on_some_patches_and_looked_into(info: BackboneInfo) -> None:
    encoder = info.build(request()).eval()
    assert isinstance(encoder, TokenEncoder) == ("tokens" in info.provides)
    if not isinstance(encoder, TokenEncoder):
        return
    net: Any = encoder.net
    for size in (SIZE, SIZE // 2 + 3):
        batch = images(size=size)
        rows, columns = encoder.grid(batch)
        patches = encoder.embedded(batch)
        assert patches.shape == (2, rows * columns, info.dim)
        tokens = encoder.through(patches)
        torch.testing.assert_close(tokens, net.forward_features(batch))
        torch.testing.assert_close(encoder.pooled(tokens), net(batch))
        assert encoder.through(patches[:, :3]).shape == (2, encoder.prefix + 3, info.dim)
        attention = encoder.attention(batch)
        assert attention.shape == (2, encoder.heads, rows, columns)
        assert (attention.sum((2, 3)) <= 1 + 1e-5).all()
        torch.testing.assert_close(attention.flatten(2), library_attention(encoder, batch))
    nothing = torch.zeros(2, rows * columns, dtype=torch.bool)
    token = torch.full((info.dim,), 7.0)
    assert torch.equal(encoder.embedded(batch, nothing, token), patches)
    masked = encoder.embedded(batch, nothing.index_fill(1, torch.tensor([1]), value=True), token)
    assert torch.equal(masked[:, 2:], patches[:, 2:])
    assert torch.equal(masked[:1, 1], masked[1:, 1])


def library_attention(encoder: TokenEncoder, batch: Tensor) -> Tensor:
    """The weights as the library itself computes them, caught on their way to the values."""
    found: list[Tensor] = []
    net: Any = encoder.net
    last = net.blocks[-1].attn
    last.fused_attn = False
    handle = last.attn_drop.register_forward_hook(lambda module, given, result: found.append(result))
    net(batch)
    handle.remove()
    return found[0][:, :, 0, encoder.prefix :]


@every_backbone
def test_the_smallest_and_an_odd_size_work(info: BackboneInfo) -> None:
    for size in (info.min_size, info.min_size + 5):
        encoder = info.build(request(size=size))
        assert encoder(images(size=size)).shape == (2, info.dim)
    if not info.fixed_size:
        assert encoder(images(size=info.min_size + 16)).shape == (2, info.dim)


@every_backbone
def test_the_gradient_reaches_every_weight(info: BackboneInfo) -> None:
    encoder = info.build(request())
    encoder(images(count=4)).square().sum().backward()
    assert unreached(encoder) == []


def unreached(encoder: Encoder) -> list[str]:
    return [name for name, parameter in encoder.named_parameters() if parameter.grad is None]


@every_backbone
def test_the_stem_changes_the_network(info: BackboneInfo) -> None:
    encoders = [info.build(request(stem=stem)).eval() for stem in ("small", "standard")]
    shapes = [{name: value.shape for name, value in encoder.state_dict().items()} for encoder in encoders]
    if shapes[0] == shapes[1]:
        encoders[1].load_state_dict(encoders[0].state_dict())
        with torch.no_grad():
            assert not torch.allclose(encoders[0](images()), encoders[1](images()))


@every_backbone
def test_the_weights_load_without_unpickling(info: BackboneInfo) -> None:
    encoder = info.build(request())
    assert all(value.is_contiguous() for value in encoder.state_dict().values())
    file = io.BytesIO()
    torch.save(encoder.state_dict(), file)
    file.seek(0)
    info.build(request()).load_state_dict(torch.load(file, weights_only=True), strict=True)
