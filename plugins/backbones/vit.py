"""ViT-Tiny and ViT-Small of timm (Dosovitskiy et al. 2021, arXiv:2010.11929; sizes of Touvron et al. 2021)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from workbench.method.backbone import BackboneInfo, BackboneRequest, Encoder
from workbench.method.timm_networks import TimmNetwork
from workbench.method.tokens import TokenEncoder


class ViTEncoder(TokenEncoder):
    """A timm Vision Transformer; features are its class token.

    The standard stem cuts patches of 16 px, the small one about 8 × 8 patches per image (of 2, 4 or 8 px).
    Images of any size are taken: their edges are padded to whole patches, positions are interpolated.
    """

    net: Any

    def __init__(self, network: TimmNetwork, request: BackboneRequest) -> None:
        super().__init__()
        self.dim = network.dim
        self.patch = _patch(request)
        self.net = network.make(request, **_arguments(request))
        self.prefix = self.net.num_prefix_tokens
        self.heads = self.net.blocks[0].attn.num_heads

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, dim)."""
        features: Tensor = self.net(images)
        return features

    def grid(self, images: Tensor) -> tuple[int, int]:
        """Rows and columns of patches."""
        rows, columns = self.net.patch_embed.dynamic_feat_size(images.shape[-2:])
        return rows, columns

    def embedded(self, images: Tensor, mask: Tensor | None = None, mask_token: Tensor | None = None) -> Tensor:
        """Patches with their positions (B, N, dim)."""
        patches: Tensor = self.net.patch_embed(images)
        rows, columns = patches.shape[1:3]
        patches = patches.flatten(1, 2)
        if mask is not None and mask_token is not None:
            patches = torch.where(mask[..., None], mask_token.to(patches.dtype), patches)
        return patches + self._positions(rows, columns)[:, self.prefix :]

    def through(self, patches: Tensor) -> Tensor:
        """All blocks, and the last norm: (B, prefix + M, dim)."""
        tokens: Tensor = self.net.norm(self.net.blocks(self._begun(patches)))
        return tokens

    def pooled(self, tokens: Tensor) -> Tensor:
        """The class token (B, dim)."""
        features: Tensor = self.net.forward_head(tokens)
        return features

    def attention(self, images: Tensor) -> Tensor:
        """Of the class token to the patches, in the last block: (B, heads, rows, columns)."""
        tokens = self._begun(self.embedded(images))
        for block in self.net.blocks[:-1]:
            tokens = block(tokens)
        last = self.net.blocks[-1]
        qkv = last.attn.qkv(last.norm1(tokens)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key = last.attn.q_norm(qkv[0][:, :, :1]), last.attn.k_norm(qkv[1])
        weights = torch.softmax((query * last.attn.scale) @ key.transpose(2, 3), dim=3)
        return weights[:, :, 0, self.prefix :].reshape(*weights.shape[:2], *self.grid(images))

    def _begun(self, patches: Tensor) -> Tensor:
        """What the first block gets: the prefix tokens ahead of the patches."""
        first = self.net.cls_token + self.net.pos_embed[:, : self.prefix]
        tokens = torch.cat((first.expand(len(patches), -1, -1).to(patches.dtype), patches), dim=1)
        ready: Tensor = self.net.norm_pre(self.net.pos_drop(tokens))
        return ready

    def _positions(self, rows: int, columns: int) -> Tensor:
        """(1, prefix + rows * columns, dim), interpolated from those of the size it was made for."""
        from timm.layers.pos_embed import resample_abs_pos_embed

        positions: Tensor = resample_abs_pos_embed(
            self.net.pos_embed,
            new_size=[rows, columns],
            old_size=list(self.net.patch_embed.grid_size),
            num_prefix_tokens=self.prefix,
        )
        return positions


def _patch(request: BackboneRequest) -> int:
    if request.stem == "standard":
        return 16
    return min((2, 4, 8), key=lambda patch: abs(request.image_size / patch - 8))


def _arguments(request: BackboneRequest) -> dict[str, Any]:
    patch = _patch(request)
    return {
        "patch_size": patch,
        "img_size": -(-request.image_size // patch) * patch,
        "dynamic_img_size": True,
        "dynamic_img_pad": True,
    }


def _loading(network: TimmNetwork, request: BackboneRequest) -> str:
    return network.loading(request, **_arguments(request))


def _info(name: str, network: TimmNetwork, *, title: str, summary: str, million: float) -> BackboneInfo:
    build: Callable[[BackboneRequest], Encoder] = partial(ViTEncoder, network)
    return BackboneInfo(
        name=name,
        title=title,
        family="Vision Transformer",
        summary=summary,
        dim=network.dim,
        million_parameters=million,
        build=build,
        loading=partial(_loading, network),
        min_size=16,
        provides=("features", "maps", "tokens"),
    )


BACKBONES = (
    _info(
        "vit_nano",
        TimmNetwork(
            name="vit_tiny_patch16_224",
            dim=96,
            changes={"embed_dim": 96, "depth": 4, "num_heads": 3},
            instead="vit_tiny",
        ),
        title="ViT-Nano",
        summary="Four transformer blocks, to try masked methods and attention on a processor without a GPU; too "
        "small for a final encoder of varied photographs.",
        million=0.54,
    ),
    _info(
        "vit_tiny",
        TimmNetwork(name="vit_tiny_patch16_224", dim=192),
        title="ViT-Tiny",
        summary="A small transformer that looks at the image in patches. Wants more images and more epochs than a "
        "ResNet of its size; the recipe should be AdamW.",
        million=5.52,
    ),
    _info(
        "vit_small",
        TimmNetwork(name="vit_small_patch16_224", dim=384),
        title="ViT-Small",
        summary="The transformer of most self-supervised papers. For a hundred thousand images and more, on a GPU, "
        "with AdamW.",
        million=21.67,
    ),
)
