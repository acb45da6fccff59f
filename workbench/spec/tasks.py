"""Several tasks on one encoder: what they ask for together, in the window and in the trainer alike."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from workbench.spec.catalog import Catalog, MethodCard
from workbench.spec.experiment import MethodSpec


def joint_demands(parts: Sequence[MethodCard]) -> dict[str, Any]:
    """The fields in which the card (or the record) of several tasks differs from the card of the first of them.

    They are a puzzle only where all of them are.
    """
    return {
        "name": " + ".join(part.name for part in parts),
        "title": " + ".join(part.title for part in parts),
        "family": next((part.family for part in parts if part.family != "puzzle"), "puzzle"),
        "uses_labels": any(part.uses_labels for part in parts),
        "min_batch": max(part.min_batch for part in parts),
        "global_views": max(part.global_views for part in parts),
        "local_views": any(part.local_views for part in parts),
        "needs": tuple(dict.fromkeys(need for part in parts for need in part.needs)),
        "uses_frames": any(part.uses_frames for part in parts),
        "needs_color": any(part.needs_color for part in parts),
        "starts_from_run": any(part.starts_from_run for part in parts),
        "exhibits": any(part.exhibits for part in parts),
        "preset": max(parts, key=lambda part: part.global_views).preset,
        "no_accumulation": next((part.no_accumulation for part in parts if part.no_accumulation), ""),
    }


def card_of(method: MethodSpec, catalog: Catalog) -> MethodCard:
    """The card of a method with the tasks beside it. Raises `NotFoundError` for one that is not there."""
    cards = [catalog.method(task.name) for task in method.tasks]
    return replace(cards[0], **joint_demands(cards)) if len(cards) > 1 else cards[0]
