"""Which methods come first for these data, and what else changes when one is chosen. No Qt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import asdict, replace

from workbench.gui.pages.method.families import FAMILIES
from workbench.gui.pages.views.edits import same_views
from workbench.spec.catalog import Catalog, MethodCard
from workbench.spec.experiment import Experiment, MethodSpec
from workbench.spec.machine import Device
from workbench.spec.needs import unmet_backbone

S = TypeVar("S", bound=Struct)

_MANY = 20_000
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Section:
    """A group of cards under a heading; `reason` says why they stand there."""

    title: str
    cards: tuple[MethodCard, ...]
    reason: str = ""


def sections(
    cards: Sequence[MethodCard], images: int, devices: Sequence[Device], typed: str = "", *, clips: int = 0
) -> tuple[Section, ...]:
    """The recommended methods, then the others by family, in a fixed order of families; with `typed`, what matches."""
    found = matching(cards, typed)
    first, reason = recommended(found, images, devices, clips=clips) if found == tuple(cards) else ((), "")
    groups = [Section("Recommended for your data", first, reason)] if first else []
    for family, title in FAMILIES.items():
        members = tuple(card for card in found if card.family == family and card not in first and not card.beside_only)
        if members:
            groups.append(Section(title, members))
    return tuple(groups)


def recommended(
    cards: Sequence[MethodCard], images: int, devices: Sequence[Device], *, clips: int = 0
) -> tuple[tuple[MethodCard, ...], str]:
    """The first methods to try, and why, in words.

    Of those whose cards say that they are a first choice. Without a GPU, or with few images, batches are small,
    so that methods come first whose cards say that they do well then. Where the images are frames of `clips`, those
    that learn from films come before all.
    """
    able = [card for card in cards if card.first_choice]
    gpu = any(device.name.startswith(("cuda", "mps")) for device in devices)
    small = images < _MANY or not gpu
    if small:
        able.sort(key=lambda card: not _says(card, "small"))
        why = "no GPU" if not gpu else f"{images:,} images are few"
        reason = f"{why}, so methods that do well with small batches come first"
    else:
        reason = f"{images:,} images and a GPU: any of these, the simplest first"
    if clips:
        films = [card for card in cards if card.uses_frames]
        return (*films, *able[:1]), "these are frames of films, so methods that learn from their order come first"
    return tuple(able[:_SHOWN]), reason


def matching(cards: Sequence[MethodCard], typed: str) -> tuple[MethodCard, ...]:
    """The methods that a person may mean: every word is in a card's title, texts, tags, family or year."""
    words = typed.lower().split()

    def text(card: MethodCard) -> str:
        parts = (card.title, card.name, card.summary, card.when, FAMILIES[card.family], card.paper, str(card.year))
        return " ".join((*parts, *card.tags)).lower()

    return tuple(card for card in cards if all(word in text(card) for word in words))


def with_suggestion(draft: Experiment, before: Experiment | None, after: Experiment) -> Experiment:
    """The draft after another method or backbone was chosen.

    before: what was suggested for the draft's own method; after: what is suggested for the chosen one.
    What the user has changed stays: views and recipe fields that differ from `before` are the user's.
    """
    untouched = before is not None and same_views(draft.views, before.views)
    kept = before or after
    backbone = after.backbone
    if backbone.name == draft.backbone.name:
        backbone = replace(backbone, weights=draft.backbone.weights)
    return replace(
        draft,
        name=after.name if before is not None and draft.name == before.name else draft.name,
        views=after.views if untouched else draft.views,
        method=_method_taken(draft.method, after.method),
        backbone=backbone,
        train=_taken(draft.train, kept.train, after.train),
        watch=_taken(draft.watch, kept.watch, after.watch),
    )


class KeptBackbone:
    """The backbone of the next method: that of the draft, unless it lacks what the method needs.

    Then the suggestion chooses one, and the next method that can have the old one gets it back.
    """

    def __init__(self) -> None:
        self._replaced: tuple[str, str] | None = None

    def asked(self, name: str, draft: Experiment, catalog: Catalog) -> str:
        """What the suggestion for the method `name` is asked with; "" leaves it to the suggestion."""
        now = draft.backbone.name
        candidates = [now]
        if self._replaced and self._replaced[0] == now:
            candidates.insert(0, self._replaced[1])
        return next((backbone for backbone in candidates if fits(name, backbone, catalog)), "")

    def replaced(self, before: str, after: str) -> None:
        """`before` has made room for `after`, which nobody has asked for."""
        self._replaced = (after, before)

    def forget(self) -> None:
        """The user has chosen a backbone."""
        self._replaced = None


def fits(method: str, backbone: str, catalog: Catalog) -> bool:
    """Whether the method can have this backbone, as far as the catalog knows."""
    card = next((card for card in catalog.methods if card.name == method), None)
    given = next((card for card in catalog.backbones if card.name == backbone), None)
    return card is None or given is None or unmet_backbone(card, given, catalog.backbones) is None


def _method_taken(mine: MethodSpec, chosen: MethodSpec) -> MethodSpec:
    """The same method keeps its parameters; the tasks beside it stay, but for one that is now the method itself."""
    if chosen.name == mine.name:
        return mine
    return replace(chosen, also=tuple(task for task in mine.also if task.name != chosen.name))


def _says(card: MethodCard, word: str) -> bool:
    return any(word in tag for tag in card.tags)


def _taken(mine: S, before: S, after: S) -> S:
    """`after`, but the fields that differ between `mine` and `before` are mine."""
    old = asdict(before)
    return replace(after, **{name: value for name, value in asdict(mine).items() if value != old[name]})
