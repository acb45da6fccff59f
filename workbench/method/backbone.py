"""What a backbone is: a network that turns images into features, and can be taken away as plain weights."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from workbench.spec.catalog import BackboneCard


class Encoder(nn.Module, ABC):
    """Images (B, C, H, W), normalized, to features (B, dim).

    `net` is the library's own network (torchvision or timm) with its classifier taken off, so that
    `net.state_dict()` has the key names that the library itself loads with `strict=True`.
    """

    net: nn.Module
    dim: int

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """Features (B, dim)."""

    def maps(self, images: Tensor) -> Tensor:
        """The last feature map (B, channels, h, w), where the backbone provides 'maps'."""
        raise NotImplementedError(f"{type(self).__name__} has no feature maps")

    def features_and_maps(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What `forward` and `maps` give, from one pass; here for features that are the mean of the map."""
        maps = self.maps(images)
        return maps.mean((2, 3)), maps

    def tokens(self, images: Tensor) -> Tensor:
        """Patch tokens (B, patches, channels), where the backbone provides 'tokens'."""
        raise NotImplementedError(f"{type(self).__name__} has no patch tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class BackboneRequest:
    """What a backbone is built for. `stem` is resolved: never 'auto'. `pretrained` asks the library's hub."""

    channels: int
    image_size: int
    stem: Literal["small", "standard"]
    pretrained: bool = False


@dataclass(frozen=True, kw_only=True)
class BackboneInfo:
    """A backbone as a plugin declares it: `BACKBONES = (BackboneInfo(...), ...)`.

    `loading` is Python that rebuilds `net` as `model` with the library alone, ready for
    `model.load_state_dict(weights, strict=True)`; it goes into the export.
    """

    name: str
    title: str
    family: str
    summary: str
    dim: int
    million_parameters: float
    build: Callable[[BackboneRequest], Encoder]
    loading: Callable[[BackboneRequest], str]
    min_size: int = 16
    fixed_size: bool = False
    provides: tuple[str, ...] = ("features",)

    @property
    def is_transformer(self) -> bool:
        """Whether it wants a transformer's optimizer."""
        return "Transformer" in self.family

    def card(self) -> BackboneCard:
        """This backbone as plain data."""
        return BackboneCard(
            name=self.name,
            title=self.title,
            family=self.family,
            summary=self.summary,
            dim=self.dim,
            million_parameters=self.million_parameters,
            min_size=self.min_size,
            fixed_size=self.fixed_size,
            provides=self.provides,
        )
