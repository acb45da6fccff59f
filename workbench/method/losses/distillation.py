"""Losses that predict what a teacher, or the other branch, sees; no negatives."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.method.losses.precision import float32


def negative_cosine(p: Tensor, z: Tensor, *, stop_gradient: bool = True) -> Tensor:
    """D(p, z) = −cos(p, stop-gradient(z)) (Chen & He 2021, arXiv:2011.10566, eq. 1 and 3).

    p, z: (B, d), any norm. Returns the mean over the batch, from −1 (same direction) to 1.
    """
    with float32(p):
        target = z.detach() if stop_gradient else z
        return -F.cosine_similarity(p.float(), target.float(), dim=1).mean()


def byol(p: Tensor, z: Tensor) -> Tensor:
    """‖p/‖p‖ − z/‖z‖‖² = 2 − 2 cos(p, z), z without gradient (Grill et al. 2020, arXiv:2006.07733, eq. 2).

    p, z: (B, d), any norm. Returns the mean over the batch, from 0 (same direction) to 4.
    """
    return 2 + 2 * negative_cosine(p, z)


def dino(
    student: Sequence[Tensor],
    teacher: Sequence[Tensor],
    center: Tensor,
    *,
    student_temperature: float,
    teacher_temperature: float,
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the student with the teacher (Caron et al. 2021, arXiv:2104.14294, eq. 3), and its least value.

    H(q_t, p_s) = −Σ_k q_tk log p_sk with q = softmax((teacher − center) / T_t), p = softmax(student / T_s), the mean
    over the batch and over all pairs of a teacher's view t and another view s of the student. student, teacher:
    logits (B, K) of each view, the teacher's views being the student's first ones; center: (K,).
    Returns two scalars: the loss, and the mean entropy of q, so that their difference is KL(q‖p).
    """
    with float32(student[0]):
        predictions = [torch.log_softmax(logits.float() / student_temperature, dim=1) for logits in student]
        losses: list[Tensor] = []
        entropies: list[Tensor] = []
        for view, logits in enumerate(teacher):
            logs = torch.log_softmax((logits.detach().float() - center.float()) / teacher_temperature, dim=1)
            target = logs.exp()
            entropies.append(-(target * logs).sum(dim=1).mean())
            others = (log for other, log in enumerate(predictions) if other != view)
            losses.extend(-(target * log).sum(dim=1).mean() for log in others)
        return torch.stack(losses).mean(), torch.stack(entropies).mean()
