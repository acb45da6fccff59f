"""A small transformer that says what stands at the patches that an encoder has not seen."""

import torch
from torch import Tensor, nn

from workbench.method.masking import take


class TokenDecoder(nn.Module):
    """From the tokens of some patches to a prediction for others (MAE, section 3; I-JEPA's predictor, section 3).

    The tokens come in through a linear layer and get fixed positions; at the places that are asked for stands one
    learned token with its position. `prefix` tokens ahead of the patches (the class token) come along without one, so
    that the encoder's features take part in the task.
    """

    def __init__(self, inputs: int, width: int, outputs: int, *, layers: int, prefix: int) -> None:
        super().__init__()
        self.prefix = prefix
        self.enter = nn.Linear(inputs, width)
        self.mask_token = nn.Parameter(torch.empty(1, 1, width))
        self.blocks = nn.Sequential(*(block(width) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, outputs)
        nn.init.trunc_normal_(self.mask_token, std=0.02)

    def forward(self, tokens: Tensor, known: Tensor, asked: Tensor, grid: tuple[int, int]) -> Tensor:
        """(B, asked, outputs) from tokens (B, prefix + known, inputs); known, asked: (B, ·) numbers of patches."""
        seen = self.enter(tokens)
        positions = sin_cos(grid, seen.shape[2], device=seen.device)[None].expand(len(seen), -1, -1)
        ahead, patches = seen[:, : self.prefix], seen[:, self.prefix :] + take(positions, known)
        wanted = self.mask_token + take(positions, asked)
        whole = torch.cat((ahead.to(wanted.dtype), patches.to(wanted.dtype), wanted), dim=1)
        predicted: Tensor = self.leave(self.norm(self.blocks(whole))[:, -asked.shape[1] :])
        return predicted


def block(width: int) -> nn.Module:
    """A transformer block with its norms first, with heads of 32 entries, or of more where that does not divide."""
    heads = next(heads for heads in range(max(1, width // 32), 0, -1) if width % heads == 0)
    return nn.TransformerEncoderLayer(
        width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )


def small_start(layer: nn.Linear) -> None:
    """A last layer that first says about 0."""
    nn.init.trunc_normal_(layer.weight, std=0.02)
    nn.init.zeros_(layer.bias)


def sin_cos(grid: tuple[int, int], width: int, *, device: torch.device) -> Tensor:
    """Fixed positions (rows · columns, width), row by row: the column's waves, then the row's (MAE, appendix A.1).

    A quarter of the entries each for sine and cosine of both; entries that this leaves over are 0.
    """
    quarter = width // 4
    rates = 10_000.0 ** -(torch.arange(quarter, device=device) / max(1, quarter))
    row, column = torch.meshgrid(*(torch.arange(length, device=device) for length in grid), indexing="ij")
    waves = [wave(place.flatten()[:, None] * rates) for place in (column, row) for wave in (torch.sin, torch.cos)]
    spare = torch.zeros(grid[0] * grid[1], width - 4 * quarter, device=device)
    return torch.cat([*waves, spare], dim=1)
