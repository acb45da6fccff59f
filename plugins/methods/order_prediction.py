"""Order prediction: four frames of a film in a wrong order, and which of the twelve orders it is."""

import itertools
import math
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.method.backbone import Encoder
from workbench.method.contract import Batch, Loss, Method, MethodInfo, Progress, Setting, detached, drawing
from workbench.method.exam import Answers
from workbench.method.frames import Frames, Windows, training_windows
from workbench.method.losses.labels import accuracy, cross_entropy
from workbench.method.losses.spread import deviation
from workbench.method.precautions import Precaution, left_of
from workbench.spec.catalog import Recipe
from workbench.spec.params import Params, param

_FRAMES = 4
_ORDERS = tuple(itertools.permutations(range(_FRAMES)))
_CLASSES = tuple(order for order in _ORDERS if order[0] < order[-1])
"""A film that runs backward is the same order: twelve of the 24."""
_LABELS = tuple(_CLASSES.index(order if order[0] < order[-1] else order[::-1]) for order in _ORDERS)
_PAIRS = tuple(itertools.combinations(range(_FRAMES), 2))


class OrderPredictionParams(Params, frozen=True, kw_only=True):
    """Parameters of order prediction."""

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
    jitter: Annotated[
        int,
        param(
            "How far each frame is moved by itself, so that a standing background tells nothing.",
            ge=0,
            le=64,
            unit="px",
        ),
    ] = 2
    one_channel: Annotated[
        bool, param("Show one color channel of a tuple, drawn anew, in place of all three: shapes count, not colors.")
    ] = True
    compare: Annotated[
        Literal["differences", "features"],
        param(
            "What is seen of each two frames: how their features differ, which carries over to other films, or their "
            "features side by side, as published."
        ),
    ] = "differences"
    hidden: Annotated[int, param("Width of the layer that compares two frames.", ge=16, le=8192, advanced=True)] = 128


class OrderPrediction(Method):
    """Sorting of four frames as classification, by the features of all pairs (Lee et al. 2017, sections 3.2 and 3.3).

    The frames of a window with motion are altered by the same draws, then each is moved by a few pixels on its own
    (spatial jittering), and one channel stands for all (channel splitting; section 3.2). Every frame goes through the
    encoder once, and the loss is over all 24 orders of the features, in place of one that is drawn.
    """

    def __init__(self, encoder: Encoder, params: OrderPredictionParams, setting: Setting) -> None:
        super().__init__()
        self.encoder = encoder
        self.pair = nn.Linear((1 if params.compare == "differences" else 2) * encoder.dim, params.hidden)
        self.head = nn.Linear(len(_PAIRS) * params.hidden, len(_CLASSES))
        self.params = params
        self._images = setting.train_images
        self._windows = training_windows(setting.frames, length=_FRAMES, distance=params.distance, still=params.still)

    def tuples(self, indices: Tensor, progress: Progress) -> Tensor:
        """For each frame one of the windows that it is in, drawn by the epoch and the frame."""
        return self._windows.draw(indices, torch.Generator().manual_seed(progress.epoch))

    def exam_tuples(self, frames: Frames) -> Tensor:
        """Windows of which no two share a stretch of time, so that each is a question of its own."""
        windows = Windows(frames, length=_FRAMES, distance=self.params.distance, still=self.params.still)
        return windows.apart()

    def loss(self, batch: Batch, progress: Progress) -> Loss:
        """Cross-entropy over the twelve classes, of all orders."""
        logits, labels, features = self._sorted(self._shown(batch, progress))
        parts = detached(accuracy=accuracy(logits, labels), spread=deviation(features))
        return Loss(value=cross_entropy(logits, labels), parts=parts)

    def exam(self, batch: Batch, progress: Progress) -> tuple[Answers, ...]:
        """All orders of each window, not jittered, in one channel after the other."""
        del progress
        films = torch.stack([torch.cat(views) for views in _by_frame(batch)])
        if self.params.one_channel:
            films = _of_channel(films, (batch.indices % films.shape[2]).repeat(len(batch.views)))
        logits, labels, _ = self._sorted(films)
        right = (logits.argmax(dim=1) == labels).float().reshape(-1, len(batch.indices)).mean(dim=0)
        return (Answers(task="frame order", right=right, chance=1 / len(_CLASSES)),)

    def _shown(self, batch: Batch, progress: Progress) -> Tensor:
        """(4, views × B, C, h, w): jittered, and in one channel. What is drawn is of the step and the image."""
        films = torch.stack([torch.cat(views) for views in _by_frame(batch)])
        generator, device = drawing(progress), films.device
        channels, reach = films.shape[2], self.params.jitter
        drawn = torch.randint(channels, (self._images,), generator=generator)
        moved = torch.randint(-reach, reach + 1, (self._images, _FRAMES, 2), generator=generator)
        rows = batch.indices.cpu().repeat(len(batch.views))
        if self.params.one_channel:
            films = _of_channel(films, drawn[rows].to(device))
        if reach:
            by_frame = moved[rows].transpose(0, 1).to(device)
            films = torch.stack([_shifted(film, shift, reach) for film, shift in zip(films, by_frame, strict=True)])
        return films

    def _sorted(self, films: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (24 × n, 12) and labels of all orders of (4, n, C, h, w), and the features of every frame."""
        features = self.encoder(films.flatten(0, 1))
        z = features.reshape(_FRAMES, -1, features.shape[1])
        both = {
            (one, other): F.relu(self.pair(self._compared(z[one], z[other])))
            for one, other in itertools.permutations(range(_FRAMES), 2)
        }
        orders = [torch.cat([both[order[i], order[j]] for i, j in _PAIRS], dim=1) for order in _ORDERS]
        labels = torch.tensor(_LABELS, device=films.device).repeat_interleave(films.shape[1])
        return self.head(torch.cat(orders)), labels, features

    def _compared(self, one: Tensor, other: Tensor) -> Tensor:
        return (other - one).abs() if self.params.compare == "differences" else torch.cat([one, other], dim=1)


def _by_frame(batch: Batch) -> list[tuple[Tensor, ...]]:
    """For each of the four frames its views."""
    return [batch.views, *batch.partner_views]


def _of_channel(films: Tensor, channel: Tensor) -> Tensor:
    """(frames, n, C, h, w) with each film's own channel in place of all: `channel` (n,)."""
    chosen = films.gather(2, channel[None, :, None, None, None].expand(len(films), -1, 1, *films.shape[3:]))
    return chosen.expand_as(films)


def _shifted(images: Tensor, shift: Tensor, reach: int) -> Tensor:
    """(n, C, h, w) moved by (n, 2) whole pixels down and right, at most `reach`; borders are repeated."""
    height, width = images.shape[2:]
    padded = F.pad(images, (reach,) * 4, mode="replicate")
    rows = reach - shift[:, :1] + torch.arange(height, device=images.device)
    columns = reach - shift[:, 1:] + torch.arange(width, device=images.device)
    which = torch.arange(len(images), device=images.device)[:, None, None]
    return padded[which, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _chance(params: OrderPredictionParams, setting: Setting) -> float:
    del params, setting
    return math.log(len(_CLASSES))


METHOD = MethodInfo(
    name="order_prediction",
    title="Order prediction",
    family="puzzle",
    paper="arXiv:1708.01246",
    year=2017,
    summary="Shows four frames of a film in a wrong order and learns to sort them.",
    explanation="Your images are frames of films, each film in a folder of its own. Four frames are shown in one of "
    "their orders, and a network says which: twelve answers, as a film that runs backward counts as the same. To sort "
    "them it must see what moves and how. So that it cannot go by the background or by colors, each frame is moved by "
    "a few pixels of its own, and one color channel stands for all.",
    when="For frames of films: animals, people, machines. It asks for more than Shuffle and Learn, twelve answers "
    "instead of two, and learns more from each tuple. With a few films it learns these very films: look at its "
    "accuracy on held-out ones. It works with small batches; each image costs four passes through the encoder.",
    collapse="Stays at ln 12 = 2.48 and an accuracy of 8 % where nothing is learned. If that lasts, raise the distance "
    "of frames or the share of stillness that is passed over. A high accuracy in training and 8 % on held-out clips "
    "means that it knows these films by heart. If held-out clips are sorted without fault within a few epochs and kNN "
    "gets no better, a clock, a fade or flicker may give the order away.",
    params=OrderPredictionParams,
    build=OrderPrediction,
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
        source="our own for small films (AdamW 1e-3 at a batch of 128); orders, channel splitting and jittering as "
        "Lee et al. 2017, who train with SGD at 1e-2 on a batch of 128",
    ),
    chance_loss=_chance,
    precautions=left_of(
        Precaution(parameter="jitter", most=64, why="so that what stands still tells nothing"),
        Precaution(parameter="one_channel", choice=True, why="so that colors do not tell", of_color=True),
        Precaution(parameter="compare", choice="differences", why="so that single frames are not known by heart"),
    ),
)
