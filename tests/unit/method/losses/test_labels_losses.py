import pytest
import torch
import torch.nn.functional as F

from tests.unit.method.losses.oracle import assert_same, pair
from workbench.method.losses.labels import accuracy, cross_entropy


def test_cross_entropy_leaves_out_unknown_labels() -> None:
    logits, _ = pair()
    labels = torch.tensor([0, 1, -1, 2, -1, 4])
    known = labels >= 0
    assert_same(cross_entropy(logits, labels), F.cross_entropy(logits[known], labels[known]), logits)
    smooth = F.cross_entropy(logits[known], labels[known], label_smoothing=0.2)
    assert_same(cross_entropy(logits, labels, smoothing=0.2), smooth, logits)
    assert cross_entropy(logits, torch.full((6,), -1)).item() == 0
    assert accuracy(logits, torch.full((6,), -1)).item() == 0


def test_accuracy_counts_labeled_rows_only() -> None:
    logits = torch.eye(4)
    assert accuracy(logits, torch.tensor([0, 1, 0, -1])).item() == pytest.approx(2 / 3)
