"""What an augmentation op is.

Drawing and applying are apart (as in torchvision's `make_params` and `transform`): the same draw can
be replayed, shown as numbers, or applied to something else. Everything is batched: each of the n
images has its own draw, on whatever device the images are. Draws themselves are on the CPU.

An op's result for one image may not depend on the others: elementwise arithmetic, shifts and copies do
not; matrix products and library convolutions may, in the last bit.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import torch
from torch import Tensor

from workbench.augment.draws import Draws
from workbench.augment.geometry import resample
from workbench.augment.moving import moved
from workbench.spec.catalog import OpCard, OpGroup
from workbench.spec.params import Params, describe, param

P = TypeVar("P", bound=Params)

Drawn = Mapping[str, Tensor]
"""What an op drew: CPU tensors whose first axis is the batch. 'on' (n,) bool says which images it touches;
without it, it touches all."""

Probability = Annotated[float, param("Share of the images that this step changes.", ge=0, le=1, title="probability")]

# On a CPU, images of so many values are changed one by one: gathering those that are touched costs more than calls.
_LARGE = 16_384


class Op(ABC, Generic[P]):
    """Base of ops that change values in place of their pixels: color, noise, blur, erasing."""

    def __init__(self, params: P) -> None:
        self.params = params

    @abstractmethod
    def draw(self, draws: Draws, shape: tuple[int, int, int]) -> Drawn:
        """One draw per image. `shape` is (C, h, w) of the images that it will be applied to."""

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """The op on images that it touches, all of them. May write into `images`.

        images: (m, C, h, w) float32 in [0, 1]; returns the same shape and range. drawn: on the CPU (`spread`
        brings a number per image to the pixels). An op has this or `change_rows`.
        """
        raise NotImplementedError(f"{type(self).__name__} has neither change nor change_rows")

    def change_rows(self, images: Tensor, rows: Tensor, drawn: Drawn) -> None:
        """The op on images[rows], in place. rows: (m,) int64 on the CPU; drawn: of those rows alone.

        For ops that can spare the copies that gathering them costs.
        """
        if images.device.type == "cpu" and images[:1].numel() >= _LARGE:
            for number, item in enumerate(rows.tolist()):
                part = images[item : item + 1]
                _put(part, self.change(part, {name: value[number : number + 1] for name, value in drawn.items()}))
        elif len(rows) == len(images):
            _put(images, self.change(images, drawn))
        else:
            place = moved(rows, images.device)
            images[place] = self.change(images[place], drawn)

    def words(self, drawn: Drawn, item: int) -> str:
        """The draw of one image that the op touched, in a few words ('hue +0.07')."""
        del drawn, item
        return "yes"

    def apply(self, images: Tensor, drawn: Drawn) -> Tensor:
        """images: (n, C, h, w) float32 in [0, 1]; writes into them, where they are in one piece, and returns them.

        Only the images that are touched cost anything.
        """
        images = images.contiguous()
        on = drawn.get("on")
        if on is None or bool(on.all()):
            rows = torch.arange(len(images))
        else:
            rows = on.nonzero().squeeze(1)
            drawn = {name: value[rows] for name, value in drawn.items()}
        if len(rows) > 0:
            self.change_rows(images, rows, drawn)
        return images

    def describe(self, drawn: Drawn, item: int) -> str:
        """The draw of one image in a few words; 'no' where the op left it alone."""
        if "on" in drawn and not bool(drawn["on"][item]):
            return "no"
        return self.words(drawn, item)


class GeometricOp(Op[P]):
    """Base of ops that move pixels. A run of them is one resampling: their matrices are multiplied.

    Coordinates are normalized: (-1, -1) is the outer corner of the first pixel, (1, 1) that of the last
    (`align_corners=False`). A matrix maps a point of the output to where it comes from in the input.
    """

    @abstractmethod
    def matrix(self, drawn: Drawn, shape: tuple[int, int, int]) -> Tensor:
        """(n, 3, 3) float64 homographies, output to input, for images that are all touched."""

    def matrices(self, drawn: Drawn, shape: tuple[int, int, int]) -> Tensor:
        """(n, 3, 3) float64 homographies, output to input; the identity where the op leaves an image alone."""
        matrices = self.matrix(drawn, shape).double()
        if "on" not in drawn:
            return matrices
        return torch.where(drawn["on"][:, None, None], matrices, torch.eye(3, dtype=torch.float64))

    def change(self, images: Tensor, drawn: Drawn) -> Tensor:
        """The op alone, at the images' own size (chains resample once instead)."""
        return self.apply(images, {name: value for name, value in drawn.items() if name != "on"})

    def apply(self, images: Tensor, drawn: Drawn) -> Tensor:
        """The op alone, at the images' own size (chains resample once instead)."""
        channels, height, width = images.shape[1:]
        return resample(images, self.matrices(drawn, (channels, height, width)), (height, width))


@dataclass(frozen=True, kw_only=True)
class Ladder(Generic[P]):
    """One way to turn an op up, step by step, for the invariance audit.

    `params` gives the op's parameters at a strength above 0, up to 1, the strongest change that still makes
    sense; every image is changed (p = 1) and nothing else varies. `words` says that strength to a person
    ('±90°', 'σ 2.0'). `steps`: how many strengths are worth a look; 1 where there is only yes or no.
    """

    name: str
    title: str
    params: Callable[[float], P]
    words: Callable[[float], str]
    steps: int = 4


@dataclass(frozen=True, kw_only=True)
class OpInfo(Generic[P]):
    """An op as a plugin declares it: `OP = OpInfo(name="solarize", ...)` or `OPS = (...)`.

    ladders: how the invariance audit turns it up, one per thing that it changes; none where that has no meaning.
    torchvision: the same in torchvision's words, a Python expression over `v2` (torchvision.transforms.v2) and
    `torch`, from the parameters and the side of the view in pixels; None, or empty for parameters where torchvision
    has nothing like it.
    """

    name: str
    title: str
    group: OpGroup
    help: str
    params: type[P]
    build: Callable[[P], Op[Any]]
    ladders: tuple[Ladder[P], ...] = ()
    torchvision: Callable[[P, int], str] | None = None

    def card(self) -> OpCard:
        """This op as plain data."""
        return OpCard(name=self.name, title=self.title, group=self.group, help=self.help, params=describe(self.params))


def _put(images: Tensor, changed: Tensor) -> None:
    """Without a copy where the op itself was in place."""
    if changed.data_ptr() != images.data_ptr():
        images.copy_(changed)


def sometimes(expression: str, p: float) -> str:
    """An expression of `OpInfo.torchvision` that acts with probability p."""
    return expression if p >= 1 else f"v2.RandomApply([{expression}], p={p:g})"
