"""Some images of a run, and what its encoder makes of each place of them."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.catalog.registry import load_registry
from workbench.data.prepare import Prepared, prepare
from workbench.inspect import inside
from workbench.inspect.embed import resize
from workbench.inspect.encoder import LoadedEncoder, load_encoder
from workbench.method.tokens import TokenEncoder
from workbench.runs.folder import RunFolder
from workbench.runs.split import read_split
from workbench.spec import places
from workbench.spec.errors import CheckError, UsageError
from workbench.spec.progress import Report

_BATCH = 32

Choose = Callable[[Prepared], NDArray[np.int64]]
"""Which rows of the pixel store are looked at."""


class _Look(Protocol):
    def __call__(self, encoder: Any, images: Tensor, /) -> Tensor: ...


class RunMaps:
    """The images that `choose` gives, and an encoder of their run.

    scale: how much larger than in training they go in. Raises `CheckError` where the backbone has no map over the
    image, and what loading raises.
    """

    def __init__(
        self, run: RunFolder, choose: Choose, *, trained: bool, scale: int, device: torch.device, report: Report
    ) -> None:
        if scale < 1:
            raise UsageError("A scale of 1 is the least.")
        registry = load_registry()
        self.loaded: LoadedEncoder = load_encoder(run, registry=registry, trained=trained)
        self.data: Prepared = prepare(
            self.loaded.experiment, cache=places.cache_folder(), table=read_split(run.split_file), report=report
        )
        info = registry.backbone(self.loaded.experiment.backbone.name)
        if not inside.has_maps(self.loaded.encoder, info.provides):
            raise CheckError(
                f"{info.title} has no map of features over the image to look at.", hint="Choose a run with another."
            )
        if scale > 1 and info.fixed_size:
            raise CheckError(f"{info.title} takes images of one size only.", hint="Leave the scale at 1.")
        self.rows = choose(self.data)
        self.paths = tuple(self.data.table.paths[row] for row in self.rows)
        self._backbone = info.title
        self._scale, self._device, self._report = scale, device, report

    @property
    def has_attention(self) -> bool:
        """Whether the encoder is a transformer that tells its attention."""
        return isinstance(self.loaded.encoder, TokenEncoder)

    def maps(self) -> Tensor:
        """The last map (n, C, h, w) on the CPU."""
        return self._of_all(lambda encoder, images: encoder.maps(images))

    def attention(self) -> Tensor:
        """(n, heads, h, w), each head 1 in sum. Raises `CheckError` where there is none."""
        if not self.has_attention:
            raise CheckError(
                f"{self._backbone} has no attention.", hint="Look at 'saliency', which every network with a map has."
            )
        return self._of_all(inside.attention)

    def weights(self) -> Tensor:
        """(n, h, w): attention of a transformer, the mean of its heads; saliency of another network."""
        return self.attention().mean(dim=1) if self.has_attention else inside.saliency(self.maps())

    def _of_all(self, look: _Look) -> Tensor:
        """What `look` gives of all images, in batches, on the CPU."""
        encoder, normalization = self.loaded.encoder.to(self._device), self.loaded.normalization.to(self._device)
        found = []
        with torch.inference_mode():
            batch = max(1, _BATCH // self._scale**2)  # Enlarged images take as much memory as more of them.
            for start in range(0, len(self.rows), batch):
                self._report("images", start, len(self.rows))
                block = np.ascontiguousarray(self.data.store.pixels[self.rows[start : start + batch]])
                sized = resize(torch.from_numpy(block).to(self._device), self.loaded.image_size * self._scale)
                found.append(look(encoder, normalization(sized)).float().cpu())
        return torch.cat(found)
