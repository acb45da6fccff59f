"""Losses that predict what a teacher, or the other branch, sees; no negatives."""

from collections.abc import Mapping, Sequence

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


def hidden_patches(
    student: Tensor,
    teacher: Tensor,
    center: Tensor,
    mask: Tensor,
    *,
    student_temperature: float,
    teacher_temperature: float,
) -> tuple[Tensor, Tensor]:
    """iBOT's loss of hidden patches, L_MIM (Zhou et al. 2021, arXiv:2111.07832, eq. 2).

    The student, to whom they were hidden, must say of them what the teacher says, who sees them: −Σ P_t log P_s, the
    mean over an image's hidden patches, then over all B images, of which those without hidden patches count 0.
    mask: (B, N) bool, true where hidden; student, teacher: logits (M, K) of the M hidden patches, image by image;
    center: (K,). Returns two scalars: the loss, and the mean entropy of P_t over the hidden patches (0 without any).
    """
    with float32(student):
        logs = torch.log_softmax((teacher.detach().float() - center.float()) / teacher_temperature, dim=1)
        predicted = torch.log_softmax(student.float() / student_temperature, dim=1)
        counts = mask.sum(dim=1)
        weights = torch.repeat_interleave(1 / counts.clamp(min=1), counts, output_size=len(logs))
        value = -((logs.exp() * predicted).sum(dim=1) * weights).sum() / len(mask)
        entropy = -(logs.exp() * logs).sum() / max(1, len(logs))
        return value, entropy


def matched_regions(
    student: Sequence[Tensor],
    teacher: Sequence[Tensor],
    matches: Mapping[tuple[int, int], Tensor],
    center: Tensor,
    *,
    student_temperature: float,
    teacher_temperature: float,
) -> tuple[Tensor, Tensor]:
    """EsViT's loss of regions (Li et al. 2021, arXiv:2106.09785, eq. 3).

    Each region i of a view s of the student must say what the teacher says of the region of another view t that is
    most like it: −(1 / regions) Σ_i p_t,j*(i) log p_s,i, the mean over images and pairs of views. student, teacher:
    logits (B, regions, K) of each view, whose regions may differ in number, the teacher's views being the student's
    first ones; matches[t, s]: (B, regions of s) int64, j* for each pair; center: (K,). Returns two scalars: the loss,
    and the mean entropy of the teacher's answers.
    """
    with float32(student[0]):
        predictions = [torch.log_softmax(logits.float() / student_temperature, dim=2) for logits in student]
        answers = [
            torch.softmax((logits.detach().float() - center.float()) / teacher_temperature, dim=2) for logits in teacher
        ]
        losses = []
        for (seen, view), found in matches.items():
            wanted = answers[seen].gather(1, found[..., None].expand(-1, -1, len(center)))
            losses.append(-(wanted * predictions[view]).sum(dim=2).mean())
        entropies = [torch.special.entr(answer).sum(dim=2).mean() for answer in answers]
        return torch.stack(losses).mean(), torch.stack(entropies).mean()
