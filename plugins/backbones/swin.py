"""Swin Transformers of timm (Liu et al. 2021, arXiv:2103.14030): attention in windows, maps that shrink as in a CNN."""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor

from workbench.method.backbone import BackboneInfo, BackboneRequest, Encoder
from workbench.method.timm_networks import TimmNetwork
from workbench.spec.errors import CheckError

_DEPTHS = (2, 2, 6, 2)
"""Blocks for each map, as published."""


class SwinEncoder(Encoder):
    """A timm Swin Transformer; features are the mean of its last map.

    The standard stem cuts patches of 4 px and attends in windows of 7 × 7, as published. The small one cuts patches
    of 1, 2 or 4 px, so that the last map is about 4 × 4, in windows of 4 × 4. Images of any size are taken: edges are
    padded to whole patches, and maps to whole windows.
    """

    def __init__(self, network: TimmNetwork, request: BackboneRequest) -> None:
        super().__init__()
        if request.pretrained and request.stem == "small":
            raise CheckError(
                "Pretrained weights of a Swin Transformer belong to the standard stem.",
                hint="Set backbone.stem to 'standard'.",
            )
        self.dim = network.dim
        self.net: Any = network.make(request, **_arguments(network, request))
        self.net.patch_embed.dynamic_img_pad = True

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, dim)."""
        features: Tensor = self.net(images)
        return features

    def maps(self, images: Tensor) -> Tensor:
        """The last map (B, dim, h, w), normed."""
        maps: Tensor = self.net.forward_features(images)
        return maps.permute(0, 3, 1, 2)


def _patch(network: TimmNetwork, request: BackboneRequest) -> int:
    if request.stem == "standard":
        return 4
    stages = len(network.changes.get("depths", _DEPTHS))  # Maps, each of half the side of the one before.
    last = request.image_size / 2 ** (stages - 1)
    return min((1, 2, 4), key=lambda patch: abs(last / patch - 4))


def _arguments(network: TimmNetwork, request: BackboneRequest) -> dict[str, Any]:
    patch = _patch(network, request)
    return {
        "patch_size": patch,
        "window_size": 7 if request.stem == "standard" else 4,
        "img_size": -(-request.image_size // patch) * patch,
        "drop_path_rate": 0.0,
        "dynamic_img_size": True,
    }


def _loading(network: TimmNetwork, request: BackboneRequest) -> str:
    made = network.loading(request, **_arguments(network, request))
    return f"{made}model.patch_embed.dynamic_img_pad = True\n"


def _info(name: str, network: TimmNetwork, *, title: str, summary: str, million: float) -> BackboneInfo:
    build: Callable[[BackboneRequest], Encoder] = partial(SwinEncoder, network)
    return BackboneInfo(
        name=name,
        title=title,
        family="Swin Transformer",
        summary=summary,
        dim=network.dim,
        million_parameters=million,
        build=build,
        loading=partial(_loading, network),
        min_size=16,
        provides=("features", "maps"),
    )


BACKBONES = (
    _info(
        "swin_nano",
        TimmNetwork(
            name="swin_tiny_patch4_window7_224",
            dim=128,
            changes={"embed_dim": 32, "depths": (2, 2, 2), "num_heads": (2, 4, 8)},
            instead="swin_tiny",
        ),
        title="Swin-Nano",
        summary="Three small maps of two blocks each, to try windowed attention and region losses on a processor "
        "without a GPU; too small for a final encoder of varied photographs.",
        million=0.57,
    ),
    _info(
        "swin_tiny",
        TimmNetwork(name="swin_tiny_patch4_window7_224", dim=768),
        title="Swin-T",
        summary="A transformer that attends within windows and keeps maps as a ResNet-50 does, at about its cost. For "
        "tasks about regions (EsViT), a hundred thousand images and a GPU, with AdamW.",
        million=27.52,
    ),
)
