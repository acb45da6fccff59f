"""Swin Transformers of timm (Liu et al. 2021, arXiv:2103.14030): attention in windows, maps that shrink as in a CNN."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor

from workbench.method.backbone import BackboneInfo, BackboneRequest, Encoder
from workbench.method.hub import fetching
from workbench.spec.errors import CheckError


class SwinEncoder(Encoder):
    """A timm Swin Transformer; features are the mean of its last map.

    The standard stem cuts patches of 4 px and attends in windows of 7 × 7, as published. The small one cuts patches
    of 1, 2 or 4 px, so that the last map is about 4 × 4, in windows of 4 × 4. Images of any size are taken: edges are
    padded to whole patches, and maps to whole windows.
    """

    def __init__(self, size: "_Size", request: BackboneRequest) -> None:
        super().__init__()
        self.dim = size.dim
        self.net: Any = _network(size, request)

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, dim)."""
        features: Tensor = self.net(images)
        return features

    def maps(self, images: Tensor) -> Tensor:
        """The last map (B, dim, h, w), normed."""
        maps: Tensor = self.net.forward_features(images)
        return maps.permute(0, 3, 1, 2)


@dataclass(frozen=True, kw_only=True)
class _Size:
    """One of timm's networks, and in what it differs from it. stages: maps, each of half the side of the one before."""

    library_name: str
    dim: int
    stages: int = 4
    changes: Mapping[str, Any] = field(default_factory=dict)


def _patch(size: _Size, request: BackboneRequest) -> int:
    if request.stem == "standard":
        return 4
    last = request.image_size / 2 ** (size.stages - 1)
    return min((1, 2, 4), key=lambda patch: abs(last / patch - 4))


def _arguments(size: _Size, request: BackboneRequest) -> dict[str, Any]:
    patch = _patch(size, request)
    return {
        "patch_size": patch,
        "window_size": 7 if request.stem == "standard" else 4,
        "img_size": -(-request.image_size // patch) * patch,
        "in_chans": request.channels,
        "num_classes": 0,
        "drop_path_rate": 0.0,
        "dynamic_img_size": True,
        **size.changes,
    }


def _network(size: _Size, request: BackboneRequest) -> Any:
    import timm

    if request.pretrained and size.changes:
        raise CheckError(
            "There are no pretrained weights for a Swin Transformer of this size.",
            hint="Set backbone.weights to 'none', or choose swin_tiny.",
        )
    if request.pretrained and request.stem == "small":
        raise CheckError(
            "Pretrained weights of a Swin Transformer belong to the standard stem.",
            hint="Set backbone.stem to 'standard'.",
        )
    with fetching("timm", size.library_name) if request.pretrained else nullcontext():
        net: Any = timm.create_model(size.library_name, pretrained=request.pretrained, **_arguments(size, request))
    net.patch_embed.dynamic_img_pad = True
    return net


def _loading(size: _Size, request: BackboneRequest) -> str:
    arguments = ", ".join(f"{key}={value!r}" for key, value in _arguments(size, request).items())
    return (
        f'import timm\n\nmodel = timm.create_model("{size.library_name}", {arguments})\n'
        "model.patch_embed.dynamic_img_pad = True\n"
    )


def _info(name: str, size: _Size, *, title: str, summary: str, million: float) -> BackboneInfo:
    build: Callable[[BackboneRequest], Encoder] = partial(SwinEncoder, size)
    return BackboneInfo(
        name=name,
        title=title,
        family="Swin Transformer",
        summary=summary,
        dim=size.dim,
        million_parameters=million,
        build=build,
        loading=partial(_loading, size),
        min_size=16,
        provides=("features", "maps"),
    )


BACKBONES = (
    _info(
        "swin_nano",
        _Size(
            library_name="swin_tiny_patch4_window7_224",
            dim=128,
            stages=3,
            changes={"embed_dim": 32, "depths": (2, 2, 2), "num_heads": (2, 4, 8)},
        ),
        title="Swin-Nano",
        summary="Three small maps of two blocks each, to try windowed attention and region losses on a processor "
        "without a GPU; too small for a final encoder of varied photographs.",
        million=0.57,
    ),
    _info(
        "swin_tiny",
        _Size(library_name="swin_tiny_patch4_window7_224", dim=768),
        title="Swin-T",
        summary="A transformer that attends within windows and keeps maps as a ResNet-50 does, at about its cost. For "
        "tasks about regions (EsViT), a hundred thousand images and a GPU, with AdamW.",
        million=27.52,
    ),
)
