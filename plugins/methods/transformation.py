"""Transformation prediction: what was done to this image, and how much of it?"""

import math
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.exam import Answers
from workbench.method.exhibit import Panel
from workbench.method.losses.labels import accuracy, cross_entropy
from workbench.method.losses.precision import float32
from workbench.method.masking import Draw, draw_of, fixed_draw
from workbench.method.precautions import Precaution, left_of
from workbench.method.warps import LEVELS, affine, color_changes, homography, projective, quarters, recolored, warp
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param

_CALIBRATION = 4096
_HOW_MUCH = ("much less", "less", "more", "much more")


class TransformationParams(Params, frozen=True, kw_only=True):
    """Parameters of transformation prediction."""

    kind: Annotated[
        Literal["projective", "affine", "colors"],
        param(
            "What is done to the image: its corners are moved and it is turned by quarters; it is turned, moved, "
            "scaled and slanted; or one of its colors' properties is changed."
        ),
    ] = "projective"
    strength: Annotated[
        float,
        param("How much is done: 1 is as in the paper (corners moved by 1/8 of the side, any turn).", ge=0.1, le=2),
    ] = 1.0
    hidden: Annotated[int, param("Width of the layer that compares the two images.", ge=8, le=4096, advanced=True)] = (
        512
    )


class Transformation(Method):
    """Autoencoding transformations (Zhang et al. 2019, arXiv:1901.04596, eq. 1 and section 4.1.1).

    The image and the changed image go through one encoder, and the head tells the change from the features of both.
    Geometry: the squared error of the numbers of the change, each with mean 0 and deviation 1, so that 1 is what a
    guess of the mean gets. Colors: cross-entropy over what was changed and how much.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, encoder: Encoder, params: TransformationParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.params = params
        self.ways = color_changes(setting.channels)
        numbers = self._numbers(Draw(torch.arange(_CALIBRATION), 0)) if params.kind != "colors" else torch.zeros(2, 1)
        self.register_buffer("mean", numbers.mean(dim=0))
        self.register_buffer("deviation", numbers.std(dim=0).clamp(min=1e-6))
        turns = quarters(self._matrix(numbers)) if params.kind != "colors" else torch.zeros(1, dtype=torch.long)
        self.commonest = float(torch.bincount(turns).max() / len(turns))
        outputs = numbers.shape[1] if params.kind != "colors" else len(self.ways) * len(LEVELS)
        self.pair = nn.Linear(2 * encoder.dim, params.hidden)
        self.norm = nn.BatchNorm1d(params.hidden)
        self.head = nn.Linear(params.hidden, outputs)

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """One change of every view."""
        draws = [draw_of(batch.indices, progress, number) for number in range(len(batch.views))]
        said = [self._answered(view, self._changed(view, draw)) for view, draw in zip(batch.views, draws, strict=True)]
        answers = torch.cat(said)
        if self.params.kind == "colors":
            labels = torch.cat([self._label(draw) for draw in draws])
            return Loss(value=cross_entropy(answers, labels), parts=detached(accuracy=accuracy(answers, labels)))
        wanted = torch.cat([(self._numbers(draw) - self.mean) / self.deviation for draw in draws])
        with float32(answers):
            return Loss(value=F.mse_loss(answers.float(), wanted.float()))

    def exam(self, batch: Batch, progress: Progress) -> tuple[Answers, ...]:
        """One change of every image: of its colors, or to which quarter turn the one that is told is nearest."""
        del progress
        view, draw = batch.views[0], fixed_draw(batch.indices)
        said = self._answered(view, self._changed(view, draw))
        if self.params.kind == "colors":
            right = said.argmax(dim=1) == self._label(draw)
            return (Answers(task="color change", right=right.float(), chance=1 / (len(self.ways) * len(LEVELS))),)
        told = quarters(self._matrix(said.float() * self.deviation + self.mean))
        right = told == quarters(self._matrix(self._numbers(draw).to(told.device)))
        return (Answers(task="quarter turn", right=right.float(), chance=self.commonest),)

    def exhibit(self, batch: Batch, progress: Progress) -> tuple[Panel, ...]:
        """The image, the image as it was changed, and changed by what the network thinks was done."""
        del progress
        view, draw = batch.views[0], fixed_draw(batch.indices)
        changed = self._changed(view, draw)
        said = self._answered(view, changed)
        before = Panel(part="input", title="Image", images=view)
        if self.params.kind == "colors":
            label, answer = self._label(draw), said.argmax(dim=1)
            return (
                before,
                Panel(part="input", title="Changed", images=changed, captions=self._words(label)),
                Panel(
                    part="answer",
                    title="Changed as it thinks",
                    images=self._recolored(view, answer),
                    captions=self._words(answer),
                    right=tuple((label == answer).tolist()),
                ),
            )
        again = warp(view, self._matrix(said.float() * self.deviation + self.mean))
        return (
            before,
            Panel(part="input", title="Changed", images=changed),
            Panel(part="answer", title="Changed as it thinks", images=again),
        )

    def _answered(self, view: Tensor, changed: Tensor) -> Tensor:
        """(B, outputs)."""
        features = self.encoder(torch.cat((view, changed)))
        answers: Tensor = self.head(F.relu(self.norm(self.pair(torch.cat(features.chunk(2), dim=1)))))
        return answers

    def _changed(self, view: Tensor, draw: Draw) -> Tensor:
        if self.params.kind == "colors":
            return self._recolored(view, self._label(draw))
        return warp(view, self._matrix(self._numbers(draw).to(view.device)))

    def _numbers(self, draw: Draw) -> Tensor:
        """(B, 6 or 8): the change of geometry, as the numbers that are asked for."""
        much = self.params.strength
        if self.params.kind == "affine":
            change = affine(
                draw, turn=min(180.0, 180 * much), move=0.2 * much, scale=1 + 0.3 * much, shear=min(60.0, 30 * much)
            )
            return change[:, :2].flatten(1)
        return projective(draw, move=min(0.24, 0.125 * much)).flatten(1)

    def _matrix(self, numbers: Tensor) -> Tensor:
        """(B, 3, 3) from those numbers."""
        if self.params.kind == "affine":
            last = numbers.new_tensor([0.0, 0.0, 1.0]).expand(len(numbers), 1, 3)
            return torch.cat((numbers.unflatten(1, (2, 3)), last), dim=1)
        return homography(numbers.unflatten(1, (4, 2)))

    def _label(self, draw: Draw) -> Tensor:
        return draw.integers("color", len(self.ways) * len(LEVELS))

    def _recolored(self, view: Tensor, label: Tensor) -> Tensor:
        level = torch.tensor(LEVELS, device=view.device)[label % len(LEVELS)]
        return recolored(view, label // len(LEVELS), level, self.params.strength)

    def _words(self, label: Tensor) -> tuple[str, ...]:
        pairs = (divmod(number, len(LEVELS)) for number in label.tolist())
        return tuple(f"{_HOW_MUCH[level]} {self.ways[way]}" for way, level in pairs)


def _chance(params: TransformationParams, setting: Setting) -> float:
    if params.kind == "colors":
        return math.log(len(color_changes(setting.channels)) * len(LEVELS))
    return 1.0


METHOD = MethodInfo(
    name="transformation",
    title="Transformation prediction",
    family="puzzle",
    paper="arXiv:1901.04596",
    year=2019,
    summary="Shows an image before and after a change, and asks what was done to it, and how much.",
    explanation="An image is turned, tilted or recolored, and the network sees it before and after and must say what "
    "was done, in numbers: where the corners came from, or which color changed and by how much. To tell a tilted "
    "building from a building that is built so, features must keep where things are and what they are. It asks more "
    "than rotation prediction, and teaches features that know about the change rather than ignore it.",
    when="Where orientation, place or color matter for what you want to tell apart, as features here do not forget "
    "them. For textures and other images without an up and a down it works as well, as both images are shown.",
    collapse="Geometry: the loss stays at 1, what a guess of the mean gets. Colors: at ln 16 = 2.77 (gray: ln 8), with "
    "an accuracy of 6 %. It cannot collapse to one point, as both images would then have one answer. A loss near 0 "
    "within a few epochs while kNN gets no better is a sign of a shortcut: mirrored rims, the blur of resampling or "
    "clipped tones give the change away, the less so the lower the strength.",
    params=TransformationParams,
    build=Transformation,
    tags=("one view",),
    min_batch=2,
    global_views=1,
    exhibits=True,
    preset="rotation",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=1e-3,
        weight_decay=1e-4,
        source="Zhang et al. 2019, section 4.1.1 (projective: corners by 1/8, quarter turns; affine: ±180°, ±0.2, 0.7 "
        "to 1.3, ±30°), there with SGD 0.1 over 4,500 epochs; AdamW reaches as much in a short run",
    ),
    chance_loss=_chance,
    precautions=left_of(
        Precaution(parameter="strength", least=0.1, why="so that mirrored rims, resampling or clipped tones tell less"),
    ),
)
