"""Pictures of masked modelling: what is hidden, and what stands there instead."""

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.exhibit import Panel
from workbench.method.losses.masked import normed_tokens
from workbench.method.masking import Blocks, chosen, put, take
from workbench.method.patch_pixels import blanked, pasted, patchify


def masked_panels(
    images: Tensor, mask: Tensor, predicted: Tensor, patch: int, *, answer: str = "Filled in"
) -> tuple[Panel, ...]:
    """The image with holes, the whole image, and the holes filled with predicted patches (B, N, patch² · C)."""
    return (
        Panel(part="input", title="Without the hidden", images=blanked(images, mask, patch), captions=shares(mask)),
        Panel(part="target", title="The image", images=images),
        Panel(part="answer", title=answer, images=pasted(images, predicted, mask, patch)),
    )


def shares(mask: Tensor, word: str = "hidden") -> tuple[str, ...]:
    """'75 % hidden' for each row of (B, N) bool."""
    return tuple(f"{100 * share:.0f} % {word}" for share in mask.to(torch.float32).mean(dim=1).tolist())


def repaired_panels(images: Tensor, spoiled: Tensor, lost: Tensor, predicted: Tensor, patch: int) -> tuple[Panel, ...]:
    """The spoiled image, the whole one, and the spoiled one with predicted patches (B, N, patch² · C) where it is."""
    return (
        Panel(part="input", title="Spoiled", images=spoiled, captions=shares(lost, "lost")),
        Panel(part="target", title="The image", images=images),
        Panel(part="answer", title="Repainted", images=pasted(images, predicted, lost, patch)),
    )


def block_panels(images: Tensor, blocks: Blocks, predicted: Tensor, tokens: Tensor, patch: int) -> tuple[Panel, ...]:
    """The context, the target blocks, and for each patch of them what was predicted of its token.

    predicted: (B, blocks · K, dim); tokens: (B, N, dim), the true ones. A vector cannot be looked at, so that the
    answer is told in two ways: the patch, of all of these images, whose token is most like it; and its cosine with
    the true token. The mean of all tokens is taken out first, as it is in every one of them.
    """
    count, places = tokens.shape[1], blocks.targets.flatten(1)
    seen, asked = chosen(blocks.context, count), chosen(places, count)
    truth, said = normed_tokens(tokens), normed_tokens(predicted)
    mean = truth.mean(dim=(0, 1))
    truth, said = F.normalize(truth - mean, dim=2), F.normalize(said - mean, dim=2)
    nearest = (said @ truth.flatten(0, 1).T).argmax(dim=2)
    own = nearest // count == torch.arange(len(images), device=images.device)[:, None]
    cosine = (said * take(truth, places)).sum(dim=2, keepdim=True)
    found = put(patchify(images, patch).flatten(0, 1)[nearest], places, count)
    black = images.new_zeros(len(images), 1, *images.shape[2:])
    likeness = put(cosine.clamp(0, 1), places, count).expand(-1, -1, patch**2)
    return (
        Panel(part="input", title="What it sees", images=blanked(images, ~seen, patch)),
        Panel(part="target", title="What is asked for", images=blanked(images, ~asked, patch)),
        Panel(
            part="answer",
            title="Most like its answer",
            images=blanked(pasted(images, found, asked, patch), ~(seen | asked), patch),
            captions=tuple(f"{100 * share:.0f} % own" for share in own.float().mean(dim=1).tolist()),
        ),
        Panel(
            part="answer",
            title="Near the truth",
            images=pasted(black, likeness, asked, patch),
            normalized=False,
            captions=tuple(f"cosine {value:.2f}" for value in cosine.mean(dim=(1, 2)).tolist()),
        ),
    )
