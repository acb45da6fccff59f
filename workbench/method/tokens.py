"""Encoders that see an image as patches: what masked methods and pictures of attention need beyond features."""

from abc import abstractmethod

from torch import Tensor

from workbench.method.backbone import Encoder


class TokenEncoder(Encoder):
    """A transformer over the patches of an image, which can be run on some of them.

    `patch` is the side of a patch in pixels, `prefix` the number of tokens ahead of the patches (the class token),
    `heads` the number of attention heads of a block. An image that is no whole number of patches is padded with zeros
    at the right and the bottom. A backbone that provides 'tokens' builds one.
    """

    patch: int
    prefix: int
    heads: int

    @abstractmethod
    def grid(self, images: Tensor) -> tuple[int, int]:
        """Rows and columns of patches."""

    @abstractmethod
    def embedded(self, images: Tensor, mask: Tensor | None = None, mask_token: Tensor | None = None) -> Tensor:
        """Patches with their positions (B, N, dim), row by row, before the first block.

        mask: (B, N) bool; where it is true `mask_token` (dim,) takes the place of the patch, at its position.
        """

    @abstractmethod
    def through(self, patches: Tensor) -> Tensor:
        """All blocks, over the prefix tokens and any of the patches (B, M, dim): (B, prefix + M, dim), normed."""

    @abstractmethod
    def pooled(self, tokens: Tensor) -> Tensor:
        """Features (B, dim) from the tokens (B, prefix + M, dim) that `through` gives."""

    @abstractmethod
    def attention(self, images: Tensor) -> Tensor:
        """Where the class token looks in the last block: (B, heads, rows, columns), at most 1 in sum per head."""

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, dim)."""
        return self.pooled(self.through(self.embedded(images)))

    def tokens(self, images: Tensor) -> Tensor:
        """Patch tokens (B, patches, dim), row by row."""
        return self.through(self.embedded(images))[:, self.prefix :]

    def maps(self, images: Tensor) -> Tensor:
        """The patch tokens as a map (B, dim, h, w)."""
        return self._as_map(self.tokens(images), images)

    def features_and_maps(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The features (B, dim) and the patch tokens as a map (B, dim, h, w), from one pass."""
        tokens = self.through(self.embedded(images))
        return self.pooled(tokens), self._as_map(tokens[:, self.prefix :], images)

    def _as_map(self, tokens: Tensor, images: Tensor) -> Tensor:
        return tokens.transpose(1, 2).reshape(len(tokens), self.dim, *self.grid(images))
