"""ViT-Tiny and ViT-Small of timm (Dosovitskiy et al. 2021, arXiv:2010.11929; sizes of Touvron et al. 2021)."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

from torch import Tensor, nn

from workbench.method.backbone import BackboneInfo, BackboneRequest, Encoder
from workbench.method.hub import fetching


class ViTEncoder(Encoder):
    """A timm Vision Transformer; features are its class token.

    The standard stem cuts patches of 16 px, the small one about 8 × 8 patches per image (of 2, 4 or 8 px).
    Images of any size are taken: their edges are padded to whole patches, positions are interpolated.
    """

    def __init__(self, name: str, dim: int, request: BackboneRequest) -> None:
        super().__init__()
        self.dim = dim
        self.net: Any = _network(name, request)

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, dim)."""
        features: Tensor = self.net(images)
        return features

    def tokens(self, images: Tensor) -> Tensor:
        """Patch tokens (B, patches, dim), row by row."""
        tokens: Tensor = self.net.forward_features(images)[:, self.net.num_prefix_tokens :]
        return tokens

    def maps(self, images: Tensor) -> Tensor:
        """The patch tokens as a map (B, dim, h, w)."""
        return self._as_map(self.tokens(images), images)

    def features_and_maps(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The class token (B, dim) and the patch tokens as a map (B, dim, h, w)."""
        tokens = self.net.forward_features(images)
        features: Tensor = self.net.forward_head(tokens)
        return features, self._as_map(tokens[:, self.net.num_prefix_tokens :], images)

    def _as_map(self, tokens: Tensor, images: Tensor) -> Tensor:
        rows, columns = self.net.patch_embed.dynamic_feat_size(images.shape[-2:])
        return tokens.transpose(1, 2).reshape(len(tokens), self.dim, rows, columns)


def _patch(request: BackboneRequest) -> int:
    if request.stem == "standard":
        return 16
    return min((2, 4, 8), key=lambda patch: abs(request.image_size / patch - 8))


def _arguments(request: BackboneRequest) -> dict[str, Any]:
    patch = _patch(request)
    return {
        "patch_size": patch,
        "img_size": -(-request.image_size // patch) * patch,
        "in_chans": request.channels,
        "num_classes": 0,
        "dynamic_img_size": True,
        "dynamic_img_pad": True,
    }


def _network(name: str, request: BackboneRequest) -> nn.Module:
    import timm

    with fetching("timm", name) if request.pretrained else nullcontext():
        net: nn.Module = timm.create_model(name, pretrained=request.pretrained, **_arguments(request))
    return net


def _loading(name: str, request: BackboneRequest) -> str:
    arguments = ", ".join(f"{key}={value!r}" for key, value in _arguments(request).items())
    return f'import timm\n\nmodel = timm.create_model("{name}", {arguments})\n'


def _info(name: str, library_name: str, *, title: str, summary: str, dim: int, million: float) -> BackboneInfo:
    build: Callable[[BackboneRequest], Encoder] = partial(ViTEncoder, library_name, dim)
    return BackboneInfo(
        name=name,
        title=title,
        family="Vision Transformer",
        summary=summary,
        dim=dim,
        million_parameters=million,
        build=build,
        loading=partial(_loading, library_name),
        min_size=16,
        provides=("features", "maps", "tokens"),
    )


BACKBONES = (
    _info(
        "vit_tiny",
        "vit_tiny_patch16_224",
        title="ViT-Tiny",
        summary="A small transformer that looks at the image in patches. Wants more images and more epochs than a "
        "ResNet of its size; the recipe should be AdamW.",
        dim=192,
        million=5.52,
    ),
    _info(
        "vit_small",
        "vit_small_patch16_224",
        title="ViT-Small",
        summary="The transformer of most self-supervised papers. For a hundred thousand images and more, on a GPU, "
        "with AdamW.",
        dim=384,
        million=21.67,
    ),
)
