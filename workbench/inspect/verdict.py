"""What the health figures say, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.inspect.symptoms import Sign, Solved
from workbench.runs.events import Verdict

COLLAPSED_COSINE = 0.995
COLLAPSED_RANK = 1.5
NARROW_SHARE = 0.02
CLEAR_GAIN = 0.02
UNTRAINED = "the untrained encoder"
_SOON = 10
"""Epochs in which a shortcut is found."""
_AT_ONCE = 2
"""Epochs in which no image can be known by heart."""
_WOULD_SHOW = 0.1
"""A gain in kNN that must be possible, and ruled out, before a solved task is taken for a shortcut."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """One look at the representation. `values` as `inspect.health` names them; accuracies from 0 to 1 or None.

    `high` is the upper end of the accuracy's interval. `sign` is what the method's own loss says (`inspect.symptoms`),
    `solved` that its puzzle is solved, `guessed` are the tasks of its own that it answers no better than by guessing,
    on held-out images.
    """

    epoch: int
    values: Mapping[str, float]
    dim: int
    accuracy: float | None = None
    high: float | None = None
    loss: float | None = None
    sign: Sign | None = None
    solved: Solved | None = None
    guessed: tuple[str, ...] = ()


def verdict(
    looks: Sequence[Look],
    *,
    untrained: float | None = None,
    pixels: float | None = None,
    start: str = "untrained",
) -> Verdict:
    """Judges the last of `looks` (oldest first, the first of them before training).

    `untrained` and `pixels` are the kNN accuracies of the encoder before training and of raw pixels; `start` says what
    that encoder is (`BackboneSpec.at_start`), for it may have been trained in another run.
    """
    now = looks[-1]
    beginning = UNTRAINED if start == "untrained" else f"the encoder {start}"
    level, title, judgement = _judge(looks, untrained, beginning)
    sentences = [judgement, _spread(looks), _accuracy(now, untrained, pixels, beginning)]
    return Verdict(epoch=now.epoch, level=level, title=title, text=" ".join(part for part in sentences if part))


def _judge(
    looks: Sequence[Look], untrained: float | None, beginning: str
) -> tuple[Literal["good", "watch", "bad"], str, str]:
    first, now = looks[0], looks[-1]
    sign, gains = now.sign, _gains(now, untrained)
    shortcut = _shortcut(looks, untrained) if beginning == UNTRAINED else None
    if _collapsed(now) and not (len(looks) > 1 and _collapsed(first) and gains):
        advice = "Lower the learning rate, use a larger batch, or another method."
        told = sign if sign and sign.bad else shortcut
        reason = f"{told.title}: {told.text}" if told else advice
        return (
            "bad",
            "Collapsed",
            f"All images look nearly alike to the encoder: the method has found a shortcut. {reason}",
        )
    if sign and (sign.bad or not gains):
        return "bad" if sign.bad and not gains else "watch", sign.title, sign.text
    if shortcut:
        return "watch", shortcut.title, shortcut.text
    if now.values["rankme"] < max(2.0, NARROW_SHARE * now.dim) and _shrinks(looks):
        return (
            "watch",
            "Losing directions",
            (
                "The representation uses fewer and fewer directions, which comes before a collapse. "
                "A lower learning rate or a larger batch often helps."
            ),
        )
    if untrained is not None and now.accuracy is not None:
        if now.accuracy < untrained - CLEAR_GAIN:
            return (
                "watch",
                "Not better than untrained" if beginning == UNTRAINED else "Not better than at the start",
                (
                    "What the method learns does not help with these labels so far. "
                    "The views may erase what the labels depend on."
                ),
            )
        if now.accuracy < untrained + CLEAR_GAIN:
            return "watch", "Too early to say", f"It does not yet differ from {beginning}."
        return _guessing(now) or ("good", "Learning, healthy", "")
    if len(looks) > 2 and _loss_stands(looks):
        return "watch", "The loss stands still", "A higher learning rate or stronger views may help."
    return _guessing(now) or ("good", "Healthy", "Without labels only the spread can be judged.")


def _shortcut(looks: Sequence[Look], untrained: float | None) -> Sign | None:
    """That a puzzle is solved and the encoder no better for it, where little else can be the reason.

    It was solved soon, and is at the two last looks; kNN has at none been clearly above the untrained encoder's, is
    not above it at these two, and would show a gain.
    """
    trained = [look for look in looks if look.epoch > 0]
    last = trained[-2:]
    if untrained is None or untrained + _WOULD_SHOW > 1 or len(last) < 2:
        return None
    if any(_gains(look, untrained) for look in trained) or not all(_stays(look, untrained) for look in last):
        return None
    solved = [(look, look.solved) for look in trained if look.solved]
    if [look for look, _ in solved[-2:]] != last:
        return None
    look, found = solved[0]
    soon = look is trained[0] or look.epoch <= _SOON if found.held_out else look.epoch <= _AT_ONCE
    return solved[-1][1].sign if soon else None


def _stays(look: Look, untrained: float) -> bool:
    return (
        look.accuracy is not None
        and look.high is not None
        and look.accuracy <= untrained
        and look.high <= untrained + _WOULD_SHOW
    )


def _guessing(now: Look) -> tuple[Literal["good", "watch", "bad"], str, str] | None:
    """That a task of its own is not learned, whatever else looks well."""
    if not now.guessed:
        return None
    tasks = " and ".join(now.guessed)
    text = (
        f"On images that it has not trained on it answers its own task ({tasks}) no better than by guessing. Give it "
        "more epochs, a higher learning rate, or an easier task."
    )
    return "watch", "The task is not learned yet", text


def _collapsed(look: Look) -> bool:
    values = look.values
    return values["mean_cosine"] > COLLAPSED_COSINE or values["rankme"] < COLLAPSED_RANK


def _gains(look: Look, untrained: float | None) -> bool:
    return look.accuracy is not None and untrained is not None and look.accuracy > untrained + CLEAR_GAIN


def _shrinks(looks: Sequence[Look]) -> bool:
    return len(looks) > 1 and looks[-1].values["rankme"] < 0.9 * max(look.values["rankme"] for look in looks[:-1])


def _loss_stands(looks: Sequence[Look]) -> bool:
    losses = [look.loss for look in looks if look.loss is not None]
    return len(losses) > 2 and abs(losses[-1] - losses[0]) < 1e-3 * max(1.0, abs(losses[0]))


def _spread(looks: Sequence[Look]) -> str:
    now = looks[-1]
    rank = now.values["rankme"]
    trend = ""
    if len(looks) > 1:
        before = looks[-2].values["rankme"]
        trend = " and still grows" if rank > 1.02 * before else " and shrinks" if rank < 0.98 * before else ""
    return f"The representation spreads over {rank:.0f} of {now.dim} directions{trend}."


def _accuracy(now: Look, untrained: float | None, pixels: float | None, beginning: str) -> str:
    if now.accuracy is None or untrained is None:
        return ""
    text = f"kNN is {_points(now.accuracy - untrained)} {beginning}"
    if pixels is not None:
        text += f" and {_points(now.accuracy - pixels)} raw pixels"
    return text + "."


def _points(difference: float) -> str:
    points = round(100 * abs(difference))
    if points == 0:
        return "level with"
    return f"{points} point{'s' if points != 1 else ''} {'above' if difference > 0 else 'below'}"
