"""What an encoder has become blind to: the invariance audit of a run, kept in its folder, and in words."""

from typing import Literal, get_args

import msgspec
from msgspec import Struct

from workbench.runs.folder import RunFolder, write_whole
from workbench.spec.errors import RunError

Subject = Literal["trained", "best", "untrained", "pretrained"]
SUBJECTS: tuple[Subject, ...] = get_args(Subject)

BLIND = 0.9
"""A cosine from which on the change makes next to no difference to the encoder."""
SENSITIVE = 0.5
"""A cosine below which the changed image is nearer to being another image than to being itself."""
CLEAR = 0.15
"""A difference of two cosines that is worth a sentence."""


class Rung(Struct, frozen=True, kw_only=True):
    """One strength of a change. cosine: the mean over images, with the 10th and the 90th percentile; see `Audit`."""

    label: str
    cosine: float
    low: float
    high: float
    raw: float


class LadderResult(Struct, frozen=True, kw_only=True):
    """One change at increasing strength. `key` is 'op/ladder'."""

    key: str
    title: str
    group: str
    rungs: tuple[Rung, ...]

    @property
    def cosine(self) -> float:
        """At the strongest."""
        return self.rungs[-1].cosine


class FactorResult(Struct, frozen=True, kw_only=True):
    """A linear probe for one label column: accuracy on test images with its 95 % interval, and that of guessing
    the most frequent class.
    """

    column: str
    classes: int
    test_images: int
    accuracy: float
    low: float
    high: float
    guessing: float


class Audit(Struct, frozen=True, kw_only=True):
    """An encoder's answers to changes of its images.

    Cosines are between the features of an image and of its changed self, the mean feature of all images taken
    out of both: 1 is blind to the change, 0 as far away as any other image. `raw` cosines are without that, and
    `between` is the raw mean between different images. `skipped` names what does nothing on these images.
    """

    subject: Subject
    epoch: int
    images: int
    image_size: int
    between: float
    ladders: tuple[LadderResult, ...]
    factors: tuple[FactorResult, ...]
    skipped: tuple[str, ...] = ()
    encoder_hash: str
    frozen: bool
    time: float

    def ladder(self, key: str) -> LadderResult | None:
        """One of them."""
        return next((ladder for ladder in self.ladders if ladder.key == key), None)

    def factor(self, column: str) -> FactorResult | None:
        """One of them."""
        return next((factor for factor in self.factors if factor.column == column), None)


class _Audits(Struct, frozen=True):
    audits: tuple[Audit, ...] = ()


def save_audit(run: RunFolder, audit: Audit) -> None:
    """Keeps it in the run folder, in place of an older one of the same encoder."""
    others = tuple(old for old in load_audits(run) if old.subject != audit.subject)
    write_whole(run.audit_file, msgspec.json.format(msgspec.json.encode(_Audits((*others, audit)))))


def load_audits(run: RunFolder) -> tuple[Audit, ...]:
    """All audits of a run, oldest first. Raises `RunError` where the file is damaged."""
    if not run.audit_file.exists():
        return ()
    try:
        return msgspec.json.decode(run.audit_file.read_bytes(), type=_Audits).audits
    except (OSError, msgspec.DecodeError) as error:
        raise RunError(
            f"{run.audit_file} cannot be read: {error}.", hint="Delete it, and audit the run again."
        ) from error


def in_words(audit: Audit) -> str:
    """'Blind to grayscale (0.97) and hue (0.95). Most sensitive to rotation (0.21). …'"""
    ranked = sorted(audit.ladders, key=lambda ladder: ladder.cosine, reverse=True)
    blind = [ladder for ladder in ranked if ladder.cosine >= BLIND][:4]
    sharp = [ladder for ladder in reversed(ranked) if ladder.cosine < SENSITIVE][:3]
    parts = []
    if blind:
        parts.append(f"Blind to {_listed(blind)}.")
    if sharp:
        parts.append(f"Most sensitive to {_listed(sharp)}.")
    if not blind and not sharp:
        parts.append("Neither blind to any change nor thrown off by one.")
    lost = [factor for factor in audit.factors if factor.low <= factor.guessing]
    if lost:
        names = _joined([f"\u201c{factor.column}\u201d" for factor in lost])
        parts.append(f"{names} cannot be read from its features better than by guessing.")
    return " ".join(parts)


class Difference(Struct, frozen=True, kw_only=True):
    """A change or a factor that two encoders answer unlike: figures of the first and of the second."""

    title: str
    kind: Literal["change", "factor"]
    first: float
    second: float


def differences(first: Audit, second: Audit) -> tuple[Difference, ...]:
    """What two encoders answer clearly unlike: changes first, then factors; the largest difference first.

    Changes differ clearly by more than `CLEAR` at the strongest; factors where their intervals do not meet.
    """
    changes = []
    for one in first.ladders:
        other = second.ladder(one.key)
        if other is not None and abs(one.cosine - other.cosine) > CLEAR:
            changes.append(Difference(title=one.title, kind="change", first=one.cosine, second=other.cosine))
    factors = []
    for factor in first.factors:
        beside = second.factor(factor.column)
        if beside is not None and (factor.low > beside.high or beside.low > factor.high):
            factors.append(
                Difference(title=factor.column, kind="factor", first=factor.accuracy, second=beside.accuracy)
            )
    return (*sorted(changes, key=_size), *sorted(factors, key=_size))


def compared(first: Audit, second: Audit, names: tuple[str, str]) -> str:
    """Two or three sentences about what the first is blind to and the second is not, and the other way round."""
    found = differences(first, second)
    if not found:
        return f"{names[0]} and {names[1]} answer alike: no change and no factor differs clearly."
    parts = []
    for ahead, name, beside in ((True, names[0], names[1]), (False, names[1], names[0])):
        blinder = [one for one in found if one.kind == "change" and (one.first > one.second) == ahead][:3]
        if blinder:
            figures = _joined([_pair(one, ahead=ahead) for one in blinder])
            parts.append(f"{name} sees less than {beside} of {figures}.")
    factors = [one for one in found if one.kind == "factor"]
    if factors:
        figures = _joined(
            [f"\u201c{one.title}\u201d {100 * one.first:.0f} % against {100 * one.second:.0f} %" for one in factors]
        )
        parts.append(f"Probes, {names[0]} first: {figures}.")
    return " ".join(parts)


def _pair(one: Difference, *, ahead: bool) -> str:
    high, low = (one.first, one.second) if ahead else (one.second, one.first)
    return f"{one.title.lower()} ({high:.2f} against {low:.2f})"


def _size(one: Difference) -> float:
    return -abs(one.first - one.second)


def _listed(ladders: list[LadderResult]) -> str:
    return _joined([f"{ladder.title.lower()} ({ladder.cosine:.2f})" for ladder in ladders])


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def audit_of(audits: tuple[Audit, ...], subject: str) -> Audit | None:
    """The newest of that encoder."""
    return max((audit for audit in audits if audit.subject == subject), key=lambda audit: audit.time, default=None)
