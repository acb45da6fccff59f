"""Solo and mute, as on a mixing desk: which ops are shown for a while. The draft is never touched. No Qt."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from workbench.spec.experiment import OpSpec, ViewSpec


@dataclass(frozen=True, slots=True)
class Voice:
    """One op of a plan: its kind of view by name, and the how-manieth of that op's name it is in the chain.

    Draws go by the same count, so that a voice that is moved within its chain stays the same voice.
    """

    kind: str
    op: str
    occurrence: int = 0


def voices(view: ViewSpec) -> tuple[Voice, ...]:
    """One for every op of a chain, in its order."""
    seen: dict[str, int] = {}
    found = []
    for spec in view.chain:
        seen[spec.op] = seen.get(spec.op, -1) + 1
        found.append(Voice(view.name, spec.op, seen[spec.op]))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Listening:
    """What is soloed (one op, or none), and what is muted."""

    solo: Voice | None = None
    muted: frozenset[Voice] = frozenset()

    @property
    def active(self) -> bool:
        """Whether the pictures differ from what training sees."""
        return self.solo is not None or bool(self.muted)

    def toggled_solo(self, voice: Voice) -> "Listening":
        """Only this op, or all of them again. It is not muted any more."""
        return Listening(None if self.solo == voice else voice, self.muted - {voice})

    def toggled_mute(self, voice: Voice) -> "Listening":
        """Without this op, or with it again. It is not soloed any more."""
        return Listening(None if self.solo == voice else self.solo, self.muted ^ {voice})

    def still_meant(self, views: Sequence[ViewSpec]) -> "Listening":
        """Without the ops that are not there any more."""
        there = {voice for view in views for voice in voices(view)}
        return Listening(self.solo if self.solo in there else None, self.muted & there)

    def is_heard(self, voice: Voice, *, enabled: bool) -> bool:
        """Whether an op acts. A soloed one does even where it is switched off; kinds without a solo stay whole."""
        if self.solo is not None and self.solo.kind == voice.kind:
            return voice == self.solo
        return enabled and voice not in self.muted

    def heard(self, views: Sequence[ViewSpec]) -> tuple[ViewSpec, ...]:
        """The plan with its ops switched as they are listened to; nothing else about it is changed."""
        return tuple(replace(view, chain=tuple(self._switched(view))) for view in views)

    def words(self, titles: Mapping[str, str], views: Sequence[ViewSpec]) -> str:
        """'Only Color jitter is shown. Training is not changed.', with the kind where there are several; '' for all."""
        where = ""
        parts = []
        if self.solo is not None:
            where = f" in {self.solo.kind}" if len(views) > 1 else ""
            parts.append(f"Only {titles.get(self.solo.op, self.solo.op)} is shown{where}.")
        silent = [voice for view in views for voice in voices(view) if voice in self.muted]
        silent = [voice for voice in silent if self.solo is None or voice.kind != self.solo.kind]
        if silent:
            names = [titles.get(voice.op, voice.op) for voice in silent]
            listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
            parts.append(f"{listed} {'is' if len(names) == 1 else 'are'} left out.")
        return " ".join([*parts, "Training is not changed."]) if parts else ""

    def _switched(self, view: ViewSpec) -> Iterator[OpSpec]:
        for spec, voice in zip(view.chain, voices(view), strict=True):
            enabled = self.is_heard(voice, enabled=spec.enabled)
            yield spec if enabled == spec.enabled else replace(spec, enabled=enabled)
