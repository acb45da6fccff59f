"""What a method's own loss says of its health: every method declares how its collapse looks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.method.contract import MethodInfo, Setting
from workbench.spec.params import Params

_NEAR = 0.01


@dataclass(frozen=True, kw_only=True)
class Sign:
    """What was found, in words. A `bad` one tells of a collapse, the other of a loss that has not moved."""

    title: str
    text: str
    bad: bool


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

    def _at_chance(self, loss: float | None) -> Sign | None:
        if loss is None or self.info.chance_loss is None:
            return None
        chance = self.info.chance_loss(self.params, self.setting)
        if abs(loss - chance) > _NEAR * max(abs(chance), 1.0):
            return None
        return Sign(
            title="Nothing learned yet",
            text=f"The loss is {loss:.3g}, where it stands when nothing is learned ({chance:.3g}). If that goes on: "
            "a higher learning rate, or views that are less hard.",
            bad=False,
        )
