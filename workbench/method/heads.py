"""Heads: the small networks between an encoder and a loss, thrown away after training."""

import itertools

from torch import nn


def mlp(
    inputs: int, hidden: int, outputs: int, *, layers: int = 2, norm: bool = True, last_norm: bool = False
) -> nn.Sequential:
    """Linear layers with (batch norm and) ReLU between them: (B, inputs) to (B, outputs).

    `norm` puts batch norm after every hidden layer; `last_norm` one without scale and shift after the
    last (SimSiam, Chen & He 2021, sec. 3). Layers that a batch norm follows have no bias.
    """
    sizes = [inputs, *[hidden] * (layers - 1), outputs]
    parts: list[nn.Module] = []
    for position, (before, after) in enumerate(itertools.pairwise(sizes)):
        last = position == layers - 1
        normed = last_norm if last else norm
        parts.append(nn.Linear(before, after, bias=not normed))
        if normed:
            parts.append(nn.BatchNorm1d(after, affine=not last))
        if not last:
            parts.append(nn.ReLU(inplace=True))
    return nn.Sequential(*parts)
