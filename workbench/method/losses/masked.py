"""Losses of masked modelling: between what is predicted for hidden patches and what is there."""

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.losses.precision import float32


def patch_mse(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error over hidden patches (He et al. 2022, arXiv:2111.06377, section 3): both (B, M, d)."""
    with float32(predicted):
        return F.mse_loss(predicted.float(), wanted.float())


def masked_l1(predicted: Tensor, wanted: Tensor, mask: Tensor) -> Tensor:
    """‖y_M − x_M‖₁ / Ω(x_M), M the hidden patches (Xie et al. 2022, arXiv:2111.09886, eq. 1).

    predicted, wanted: (B, N, d); mask: (B, N) bool. Returns a scalar: the mean over what is hidden of an image, and
    the mean of that over the images, which is eq. 1 where as much is hidden of each.
    """
    with float32(predicted):
        apart = (predicted.float() - wanted.float()).abs().mean(dim=2)
        return ((apart * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)).mean()


def latent_distance(predicted: Tensor, teacher: Tensor) -> Tensor:
    """Smooth L1 of predicted tokens and the teacher's, layer-normed (Assran et al. 2023, arXiv:2301.08243, section 3).

    The paper writes ‖ŝ − s‖²; its code takes the smooth L1 distance, less for what is far off. Both (B, M, d), the
    teacher's without gradient. Returns the mean over all entries.
    """
    with float32(predicted):
        return F.smooth_l1_loss(predicted.float(), normed_tokens(teacher))


def normed_tokens(tokens: Tensor) -> Tensor:
    """Tokens (..., d) of mean 0 and deviation 1 each, without learned scale, without gradient."""
    with float32(tokens), torch.no_grad():
        return F.layer_norm(tokens.float(), tokens.shape[-1:])
