"""Rotation prediction: turn an image by a quarter, a half, three quarters, or not, and ask which."""

import math

import torch
from torch import nn

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.exam import Answers
from workbench.method.exhibit import Panel
from workbench.method.losses.labels import accuracy, cross_entropy
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params

_TURNS = 4


class RotationParams(Params, frozen=True, kw_only=True):
    """Rotation prediction has no parameters of its own."""


class Rotation(Method):
    """Cross-entropy over the four quarter turns, all of which every view gives (Gidaris et al. 2018, eq. 3)."""

    def __init__(self, encoder: Encoder, params: RotationParams, setting: Setting) -> None:
        super().__init__()
        del params, setting
        self.encoder = encoder
        self.head = nn.Linear(encoder.dim, _TURNS)

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """4 × views × B images through the encoder, in one batch per view."""
        del progress
        logits, labels = self._asked(batch)
        return Loss(value=cross_entropy(logits, labels), parts=detached(accuracy=accuracy(logits, labels)))

    def exam(self, batch: Batch, progress: Progress) -> tuple[Answers, ...]:
        """All four turns of every view."""
        del progress
        logits, labels = self._asked(batch)
        right = (logits.argmax(dim=1) == labels).float().reshape(-1, len(batch.indices)).mean(dim=0)
        return (Answers(task="rotation", right=right, chance=1 / _TURNS),)

    def _asked(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits and labels of all turns of all views: B rows, in the order of the batch, for each of them."""
        logits = torch.cat([self.head(self.encoder(_turned(view))) for view in batch.views])
        turns = torch.arange(_TURNS, device=logits.device)
        return logits, torch.cat([turns.repeat_interleave(len(view)) for view in batch.views])

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """Each image turned one way, the next one the next way, and turned back by what the network thinks it was."""
        del progress
        view = batch.views[0]
        turns = torch.arange(len(view)) % _TURNS
        turned = torch.stack([torch.rot90(one, int(turn), (1, 2)) for one, turn in zip(view, turns, strict=True)])
        said = self.head(self.encoder(turned)).argmax(dim=1).tolist()
        return (
            Panel(part="input", title="Turned", images=turned, captions=_words(turns.tolist())),
            Panel(
                part="answer",
                title="Turned back",
                images=torch.stack([torch.rot90(one, -turn, (1, 2)) for one, turn in zip(turned, said, strict=True)]),
                captions=_words(said),
                right=tuple(answer == turn for answer, turn in zip(said, turns.tolist(), strict=True)),
            ),
        )


def _words(turns: list[int]) -> tuple[str, ...]:
    return tuple(f"{90 * turn}°" for turn in turns)


def _turned(images: torch.Tensor) -> torch.Tensor:
    """(B, C, s, s) to (4 B, C, s, s): all images upright, then all turned by 90°, 180° and 270°."""
    return torch.cat([torch.rot90(images, turn, (2, 3)) for turn in range(_TURNS)])


def _chance(params: RotationParams, setting: Setting) -> float:
    del params, setting
    return math.log(_TURNS)


METHOD = MethodInfo(
    name="rotation",
    title="Rotation prediction",
    family="puzzle",
    paper="arXiv:1803.07728",
    year=2018,
    summary="Turns each image by 0, 90, 180 or 270 degrees and learns to tell which.",
    explanation="To say how far a photograph has been turned, a network must know what is in it and how such things "
    "usually stand: that trees grow upward, that faces have eyes above the mouth. The task needs no pairs of views "
    "and no tricks against collapse. It teaches less than the newer methods, and it shows well what a pretext is.",
    when="For images that have an up and a down: street scenes, faces, hand-held photographs. Not for microscopy, "
    "satellite tiles or textures, where every orientation is as likely, and not with rotation or vertical flips among "
    "the augmentations.",
    collapse="Stays at ln 4 = 1.39, with an accuracy of 25 %, where nothing is learned, and on images without an up "
    "and a down. A loss near 0 within a few epochs while kNN gets no better is a sign of a shortcut, such as a dark "
    "border or a time stamp, which center_crop cuts off; while kNN rises, the task is just easy.",
    params=RotationParams,
    build=Rotation,
    tags=("one view", "easy to read"),
    min_batch=1,
    global_views=1,
    exhibits=True,
    preset="rotation",
    recipe=Recipe(
        optimizer="sgd",
        learning_rate=0.2,
        weight_decay=5e-4,
        source="Gidaris et al. 2018 (RotNet), CIFAR-10: SGD 0.1 at a batch of 128, weight decay 5e-4",
    ),
    chance_loss=_chance,
)
