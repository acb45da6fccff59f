"""What there is to choose from, as plain data: the window builds its cards and forms from this."""

from typing import Any, Literal, TypeVar

from msgspec import Struct, field

from workbench.spec.errors import NotFoundError
from workbench.spec.experiment import MethodSpec, ViewSpec
from workbench.spec.params import ParamInfo

Family = Literal[
    "contrastive", "clustering", "distillation", "redundancy reduction", "puzzle", "rebuilding", "masked", "baseline"
]


OpGroup = Literal["geometry", "color", "sharpness", "noise", "erasing", "masking", "composite"]

PresetSection = Literal["published", "images", "single"]
"""The chain of a paper, one for a kind of images, or one view instead of several."""


class Recipe(Struct, frozen=True, kw_only=True):
    """Training settings that are known to work for a method, at a batch of 256.

    short_rate: AdamW's learning rate for convolutional networks in runs of a few thousand steps at most, where the
    settings are for tens of thousands; 0 where they serve both. With smaller batches it falls with their square root.
    """

    optimizer: Literal["sgd", "adamw", "lars"] = "sgd"
    learning_rate: float = 0.06
    weight_decay: float = 5e-4
    warmup: float = 0.0
    weight_decay_factor: float = 1.0
    clip_gradient: float = 0.0
    beta2: float = 0.999
    short_rate: float = 0.0
    source: str = ""


class MethodCard(Struct, frozen=True, kw_only=True):
    """A method for a person: what it does, when to choose it, and its parameters.

    `first_choice`: robust enough to be tried first by somebody who knows none of them. `exhibits`: there are pictures
    of its task. `beside_only`: of use only beside another method's task.
    """

    name: str
    title: str
    family: Family
    paper: str
    year: int
    summary: str
    explanation: str
    when: str
    collapse: str
    tags: tuple[str, ...] = ()
    first_choice: bool = False
    uses_labels: bool = False
    min_batch: int = 2
    global_views: int = 2
    local_views: bool = False
    needs: tuple[str, ...] = ()
    needs_color: bool = False
    starts_from_run: bool = False
    uses_frames: bool = False
    exhibits: bool = False
    beside_only: bool = False
    no_accumulation: str = ""
    preset: str = "simclr"
    recipe: Recipe = Recipe()
    params: tuple[ParamInfo, ...] = ()


class BackboneCard(Struct, frozen=True, kw_only=True):
    """A backbone for a person. `million_parameters` is of the encoder, at 3 channels."""

    name: str
    title: str
    family: str
    summary: str
    dim: int
    million_parameters: float
    min_size: int
    fixed_size: bool = False
    provides: tuple[str, ...] = ("features",)


class OpCard(Struct, frozen=True, kw_only=True):
    """An augmentation op for a person, with its parameters."""

    name: str
    title: str
    group: OpGroup
    help: str
    params: tuple[ParamInfo, ...] = ()


class PresetCard(Struct, frozen=True, kw_only=True):
    """A named view plan. `source` says where its numbers are from; `own`: the user has made it.

    `made_for` is the side in px of the images that the sizes in `views` were chosen for; at 0 they are
    placeholders, which `fit_to` replaces with the data's.
    """

    name: str
    title: str
    help: str
    views: tuple[ViewSpec, ...]
    source: str = ""
    section: PresetSection = "images"
    made_for: int = 0
    own: bool = False


class ReadyCard(Struct, frozen=True, kw_only=True):
    """A ready experiment: what it shows and what to expect, in plain words, and what it asks for.

    backbone, train, watch: only the values that it sets; everything else is suggested for the data. `preset` or
    `views` where they are not the method's own. `beside`: the ready experiment to compare it with.
    `after`: the one whose encoder it starts from.
    """

    name: str
    title: str
    shows: str
    expect: str
    method: MethodSpec
    source: str = ""
    beside: str = ""
    after: str = ""
    preset: str = ""
    views: tuple[ViewSpec, ...] = ()
    backbone: dict[str, Any] = field(default_factory=dict)
    train: dict[str, Any] = field(default_factory=dict)
    watch: dict[str, Any] = field(default_factory=dict)


class Broken(Struct, frozen=True, kw_only=True):
    """A plugin that could not be loaded, and why."""

    file: str
    message: str
    details: str = ""


C = TypeVar("C", MethodCard, BackboneCard, OpCard, PresetCard, ReadyCard)


class Catalog(Struct, frozen=True, kw_only=True):
    """Everything there is to choose from."""

    methods: tuple[MethodCard, ...] = ()
    backbones: tuple[BackboneCard, ...] = ()
    ops: tuple[OpCard, ...] = ()
    presets: tuple[PresetCard, ...] = ()
    experiments: tuple[ReadyCard, ...] = ()
    broken: tuple[Broken, ...] = ()

    def method(self, name: str) -> MethodCard:
        """The card of that name; `NotFoundError` with the closest one otherwise."""
        return _named("method", name, self.methods)

    def backbone(self, name: str) -> BackboneCard:
        """The card of that name; `NotFoundError` with the closest one otherwise."""
        return _named("backbone", name, self.backbones)

    def op(self, name: str) -> OpCard:
        """The card of that name; `NotFoundError` with the closest one otherwise."""
        return _named("op", name, self.ops)

    def preset(self, name: str) -> PresetCard:
        """The card of that name; `NotFoundError` with the closest one otherwise."""
        return _named("preset", name, self.presets)

    def experiment(self, name: str) -> ReadyCard:
        """The ready experiment of that name; `NotFoundError` with the closest one otherwise."""
        return _named("ready experiment", name, self.experiments)


def _named(kind: str, name: str, cards: tuple[C, ...]) -> C:
    for card in cards:
        if card.name == name:
            return card
    raise NotFoundError.named(kind, name, (card.name for card in cards))
