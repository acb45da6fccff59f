"""What a method can do so that its task is not solved by something that gives the answers away."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbench.method.contract import Setting
from workbench.spec.params import Params


@dataclass(frozen=True, kw_only=True)
class Precaution:
    """A parameter that closes a way around the task, and how far it can go: up to `most`, down to `least`, or a choice.

    why: what it hinders, as the end of a sentence: 'so that lines do not run on'. of_color: in vain on images of a
    single channel.
    """

    parameter: str
    why: str
    most: float | None = None
    least: float | None = None
    choice: bool | str | None = None
    of_color: bool = False

    def words(self, params: Params, setting: Setting) -> str:
        """What is left to do, as in "raise 'gap' (now 0.15), so that …"; "" where it is done, or in vain."""
        now = getattr(params, self.parameter)
        if self.of_color and setting.channels == 1:
            return ""
        if self.most is not None and now < self.most:
            return f"raise '{self.parameter}' (now {now:g}), {self.why}"
        if self.least is not None and now > self.least:
            return f"lower '{self.parameter}' (now {now:g}), {self.why}"
        if self.choice is not None and now != self.choice:
            to = f"'{self.choice}'" if isinstance(self.choice, str) else "on" if self.choice else "off"
            return f"set '{self.parameter}' to {to}, {self.why}"
        return ""


def left_of(*precautions: Precaution) -> Callable[[Any, Setting], tuple[str, ...]]:
    """From a method's parameters and setting to what is left to do, in words; for `MethodInfo.precautions`."""

    def left(params: Params, setting: Setting) -> tuple[str, ...]:
        return tuple(words for words in (one.words(params, setting) for one in precautions) if words)

    return left
