"""Features of images, from a frozen encoder."""

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from workbench.augment.pixels import as_floats
from workbench.method.backbone import Encoder
from workbench.spec.progress import Report, ignore


def embed(
    encoder: Encoder,
    normalization: nn.Module,
    pixels: NDArray[np.unsignedinteger[Any]],
    *,
    image_size: int,
    device: torch.device,
    rows: NDArray[np.int64] | None = None,
    batch_size: int = 256,
    report: Report = ignore,
) -> NDArray[np.float32]:
    """Features (n, d) float32 of images (N, C, S, S) uint8 or uint16, or of `rows` of them (n,), in that order.

    Whole images, resized to `image_size`, normalized; eval mode, no gradients, float32 on any device.
    The encoder is left in the mode and on the device that it was in.
    """
    chosen = np.arange(len(pixels)) if rows is None else rows
    features = np.empty((len(chosen), encoder.dim), dtype=np.float32)
    with torch.inference_mode(), _evaluating(encoder, device), _evaluating(normalization, device):
        for start in range(0, len(chosen), batch_size):
            report("embedding", start, len(chosen))
            block = torch.from_numpy(np.ascontiguousarray(pixels[chosen[start : start + batch_size]])).to(device)
            images = normalization(resize(block, image_size))
            features[start : start + len(block)] = encoder(images).float().cpu().numpy()
    report("embedding", len(chosen), len(chosen))
    return features


def embed_batches(
    encoder: Encoder, normalization: nn.Module, batches: Iterable[torch.Tensor], *, device: torch.device
) -> NDArray[np.float32]:
    """Features (n, d) float32 of images that are views already: batches of (b, C, h, w) float32 in [0, 1]."""
    features = [np.empty((0, encoder.dim), dtype=np.float32)]
    with torch.inference_mode(), _evaluating(encoder, device), _evaluating(normalization, device):
        features.extend(encoder(normalization(batch.to(device))).float().cpu().numpy() for batch in batches)
    return np.concatenate(features)


def resize(pixels: torch.Tensor, image_size: int) -> torch.Tensor:
    """(n, C, S, S) uint8 or uint16 to (n, C, image_size, image_size) float32 in [0, 1]; bilinear, antialiased."""
    images = as_floats(pixels)
    if images.shape[-1] == image_size:
        return images
    return F.interpolate(images, size=(image_size, image_size), mode="bilinear", antialias=True, align_corners=False)


@contextmanager
def _evaluating(module: nn.Module, device: torch.device) -> Iterator[None]:
    """In eval mode on `device`, and back."""
    was_training = module.training
    tensor = next(itertools.chain(module.parameters(), module.buffers()), None)
    home = tensor.device if tensor is not None else device
    module.eval()
    if home != device:
        module.to(device)
    try:
        yield
    finally:
        module.train(was_training)
        if home != device:
            module.to(home)
