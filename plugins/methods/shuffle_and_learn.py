"""Shuffle and Learn: three frames of a film, and whether they are shown in the order in which they happened."""

import math
from typing import Annotated, Literal

import torch
from torch import Tensor

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached
from workbench.method.exam import Answers
from workbench.method.frames import Frames, Windows, training_windows
from workbench.method.heads import mlp
from workbench.method.losses.labels import cross_entropy
from workbench.method.losses.spread import deviation
from workbench.method.precautions import Precaution, left_of
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param

_FRAMES = 5
_IN_ORDER = ((1, 2, 3), (3, 2, 1))
_SHUFFLED = ((1, 0, 3), (3, 0, 1), (1, 4, 3), (3, 4, 1))


class ShuffleAndLearnParams(Params, frozen=True, kw_only=True):
    """Parameters of Shuffle and Learn."""

    distance: Annotated[
        int,
        param("Frames from one to the next of a tuple, at most; tuples are 1 to this many apart.", ge=1, le=100),
    ] = 4
    still: Annotated[
        float,
        param(
            "Share of each clip, where least moves, that is passed over: frames that are alike have no order.",
            ge=0,
            le=0.95,
        ),
    ] = 0.25
    out_of_order: Annotated[float, param("Share of the loss that tuples out of order have.", ge=0.05, le=0.95)] = 0.75
    compare: Annotated[
        Literal["differences", "features"],
        param(
            "What the small network sees of three frames: how the features of each two differ, which carries over to "
            "other films, or their features side by side, as published."
        ),
    ] = "differences"
    hidden: Annotated[int, param("Width of the layer that compares the frames.", ge=16, le=8192, advanced=True)] = 256


class ShuffleAndLearn(Method):
    """Verification of the order of three frames (Misra et al. 2016, section 3).

    Of five frames a to e of a window with motion, equally far apart, b, c, d are in order; b, a, d and b, e, d are not
    (section 3.1). A film may run backward, so that each also comes from its end. Every frame goes through the encoder
    once, and all six tuples are judged, weighted as `out_of_order` says, in place of drawing one of them; their three
    features side by side go into a small network. All frames of a window are altered by the same draws.
    """

    def __init__(self, encoder: Encoder, params: ShuffleAndLearnParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = mlp(3 * encoder.dim, params.hidden, 2)
        self.params = params
        self._windows = training_windows(setting.frames, length=_FRAMES, distance=params.distance, still=params.still)

    def tuples(self, indices: Tensor, progress: Progress) -> Tensor:
        """For each frame one of the windows that it is in, drawn by the epoch and the frame."""
        return self._windows.draw(indices, torch.Generator().manual_seed(progress.epoch))

    def exam_tuples(self, frames: Frames) -> Tensor:
        """Windows of which no two share a stretch of time, so that each is a question of its own."""
        windows = Windows(frames, length=_FRAMES, distance=self.params.distance, still=self.params.still)
        return windows.apart()

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """Cross-entropy of both kinds of tuples, weighted."""
        del progress
        logits, features = self._judged(batch)
        ordered, shuffled = logits[: len(_IN_ORDER)].flatten(0, 1), logits[len(_IN_ORDER) :].flatten(0, 1)
        share = self.params.out_of_order
        value = (1 - share) * cross_entropy(ordered, ordered.new_ones(len(ordered), dtype=torch.int64))
        value = value + share * cross_entropy(shuffled, shuffled.new_zeros(len(shuffled), dtype=torch.int64))
        parts = detached(accuracy=self._right(logits).mean(), spread=deviation(features))
        return Loss(value=value, parts=parts)

    def exam(self, batch: Batch, progress: Progress) -> tuple[Answers, ...]:
        """All six tuples of each window; those in order count as much as those that are not."""
        del progress
        right = self._right(self._judged(batch)[0]).reshape(-1, len(batch.indices)).mean(dim=0)
        return (Answers(task="frame order", right=right, chance=0.5),)

    def _judged(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits (6, views × B, 2) of the tuples, those in order first, and the features of every frame."""
        films = zip(batch.views, *batch.partner_views, strict=True)
        frames = torch.stack([torch.cat(views) for views in zip(*films, strict=True)])
        features = self.encoder(frames.flatten(0, 1))
        z = features.reshape(_FRAMES, -1, features.shape[1])
        tuples = torch.cat([self._compared(z[list(order)]) for order in (*_IN_ORDER, *_SHUFFLED)])
        logits = self.head(tuples)
        return logits.reshape(len(_IN_ORDER) + len(_SHUFFLED), -1, 2), features

    def _compared(self, z: Tensor) -> Tensor:
        """(3, n, d) features of three frames to (n, 3 d): as they are, or how far each two are apart."""
        if self.params.compare == "features":
            return z.transpose(0, 1).flatten(1)
        first, middle, last = z
        return torch.cat([(middle - first).abs(), (last - middle).abs(), (last - first).abs()], dim=1)

    def _right(self, logits: Tensor) -> Tensor:
        """(views × B,) the mean of the shares of both kinds that are judged right, where both are as frequent."""
        share = self.params.out_of_order
        in_order = (logits[..., 1] - logits[..., 0]).float() > math.log((1 - share) / share)
        ordered, shuffled = in_order[: len(_IN_ORDER)], ~in_order[len(_IN_ORDER) :]
        return (ordered.float().mean(dim=0) + shuffled.float().mean(dim=0)) / 2


def _chance(params: ShuffleAndLearnParams, setting: Setting) -> float:
    """The entropy of the two kinds."""
    del setting
    return -sum(share * math.log(share) for share in (params.out_of_order, 1 - params.out_of_order))


METHOD = MethodInfo(
    name="shuffle_and_learn",
    title="Shuffle and Learn",
    family="puzzle",
    paper="arXiv:1603.08561",
    year=2016,
    summary="Shows three frames of a film and learns to tell whether they are in order.",
    explanation="Your images are frames of films, each film in a folder of its own. Three frames are shown: one, a "
    "later one, and between them either the frame that belongs there or one from before or after. To tell which, a "
    "network must see what moves and how it moves: where an arm is, how an animal stands. Nothing has to be labeled. "
    "Stretches where little moves are passed over, since frames that are alike have no order.",
    when="For frames of films: animals, people, machines, cells that divide. It learns poses and parts that move, and "
    "little of what stands still. With a few films it learns these very films: look at its accuracy on held-out ones. "
    "It works with small batches, and each image costs five passes through the encoder.",
    collapse="Stays at 0.56 (with 75 % of tuples out of order) and an accuracy of 50 % where nothing is learned. If "
    "that lasts, raise the distance of frames or the share of stillness that is passed over. An accuracy near 100 % in "
    "training and 50 % on held-out clips means that it knows these films by heart. If held-out clips are told without "
    "fault within a few epochs and kNN gets no better, a clock, a fade or flicker may give the order away.",
    params=ShuffleAndLearnParams,
    build=ShuffleAndLearn,
    tags=("films", "small batches"),
    min_batch=2,
    global_views=1,
    uses_tuples=True,
    same_draw=True,
    uses_frames=True,
    preset="frames",
    recipe=Recipe(
        optimizer="adamw",
        learning_rate=2e-3,
        weight_decay=1e-4,
        source="our own for small films (AdamW 1e-3 at a batch of 128); 75 % of tuples out of order as Misra et al. "
        "2016, section 3.2, who train with SGD at 1e-3 on a batch of 128",
    ),
    chance_loss=_chance,
    precautions=left_of(
        Precaution(parameter="compare", choice="differences", why="so that single frames are not known by heart"),
    ),
)
