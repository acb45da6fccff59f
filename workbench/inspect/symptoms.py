"""What a method's own loss says of its health: how its collapse looks, and whether its task is solved too easily."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.method.contract import MethodInfo, Setting
from workbench.runs.events import Exam
from workbench.spec.params import Params

_NEAR = 0.01
_SOLVED_LOSS = 0.1
"""Of the loss where nothing is learned; of four turns (ln 4) 96 % right answers are about there."""
_SOLVED_SHARE = 0.9
"""Of the way from guessing to no fault, at the lower end of the interval."""

_IN_THE_VIEWS = (
    "center_crop against borders and captions",
    "a little gaussian_noise against marks of compression",
    "what the Views page (`workbench views`) warns of",
)
"""Against shortcuts of any task."""


@dataclass(frozen=True, kw_only=True)
class Sign:
    """What was found, in words. A `bad` one tells of a collapse, the other of something to watch."""

    title: str
    text: str
    bad: bool


@dataclass(frozen=True, kw_only=True)
class Solved:
    """A puzzle that is answered almost without fault. `sign` is what to say where the encoder is no better for it.

    held_out: whether it was asked about images that it has not trained on; where not, its loss may have fallen because
    it knows its images by heart.
    """

    sign: Sign
    held_out: bool


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """A method as it was built, and where its loss stands when something is wrong."""

    info: MethodInfo[Any]
    params: Params
    setting: Setting

    def read(self, values: Mapping[str, float]) -> Sign | None:
        """The first sign in the means of the last steps, 'loss', and its parts as 'loss/NAME'."""
        for symptom in self.info.symptoms:
            value = values.get(f"loss/{symptom.part}" if symptom.part else "loss")
            if value is not None and symptom.is_sick(value, self.params, self.setting):
                return Sign(title=symptom.title, text=symptom.text, bad=True)
        return self._at_chance(values.get("loss"))

    def solved(self, values: Mapping[str, float], exams: Sequence[Exam]) -> Solved | None:
        """Whether a puzzle is solved: its loss is near 0, and all its own exams of this look are passed.

        Of a method with neither exams nor a loss of guessing nothing is known.
        """
        if self.info.family != "puzzle" or not all(_passed(exam) for exam in exams):
            return None
        loss, chance = values.get("loss"), self._chance()
        if loss is None or chance is None or chance <= 0:
            if not exams:
                return None
        elif loss > _SOLVED_LOSS * chance:
            return None
        if exams:
            how = ", ".join(f"{exam.task}: {100 * exam.accuracy:.0f} %" for exam in exams)
            how = f"{how} right on held-out images"
        else:
            how = f"a loss of {loss:.2g}, by guessing {chance:.3g}"
        return Solved(sign=self._shortcut(how), held_out=bool(exams))

    def _shortcut(self, how: str) -> Sign:
        left = self.info.precautions(self.params, self.setting) if self.info.precautions else ()
        fringes = "fringes of color, " if self.setting.channels > 1 else ""
        return Sign(
            title="Solved, perhaps by a shortcut",
            text=f"Its own task was soon solved ({how}), and the encoder is no better for it: lines that run on, "
            f"borders, captions, {fringes}or marks of compression may give the answers away. "
            f"Try: {'; '.join((*left, *_IN_THE_VIEWS))}. Or the labels are about something else.",
            bad=False,
        )

    def _chance(self) -> float | None:
        return self.info.chance_loss(self.params, self.setting) if self.info.chance_loss else None

    def _at_chance(self, loss: float | None) -> Sign | None:
        chance = self._chance()
        if loss is None or chance is None:
            return None
        if abs(loss - chance) > _NEAR * max(abs(chance), 1.0):
            return None
        return Sign(
            title="Nothing learned yet",
            text=f"The loss is {loss:.3g}, where it stands when nothing is learned ({chance:.3g}). If that goes on: "
            "a higher learning rate, or views that are less hard.",
            bad=False,
        )


def _passed(exam: Exam) -> bool:
    return exam.low >= exam.chance + _SOLVED_SHARE * (1 - exam.chance)
