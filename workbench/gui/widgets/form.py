"""A form made from declared parameters: nobody lays out a row by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.gui.widgets.fields import ChoiceField, Field, field_for
from workbench.gui.widgets.fold import Fold
from workbench.spec.params import ParamInfo

Options = Mapping[str, Sequence[tuple[str, str]]]


class ParamForm(QWidget):
    """Rows for parameters, the advanced ones folded away.

    `edited(name, value, merge_key)` while the user changes a value: one gesture (a drag, a number
    typed, keys pressed while the focus stays) has one key, so that undo takes it back in one step.
    """

    edited = Signal(str, object, str)

    def __init__(
        self,
        infos: Sequence[ParamInfo],
        *,
        options: Options | None = None,
        advanced: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        """`options` gives a text parameter values to choose from; without `advanced`, nothing is folded."""
        super().__init__(parent)
        self._gesture = 0
        self._fields: dict[str, Field] = {}
        self._shown: dict[str, Any] | None = None
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        folded = [info for info in infos if info.advanced and advanced]
        for info in infos:
            if info not in folded:
                rows.addWidget(self._make(info, options))
        self.fold: Fold | None = None
        self._folded = [info.name for info in folded]
        if folded:
            self.fold = Fold("")
            for info in folded:
                self.fold.content.addWidget(self._make(info, options))
            rows.addWidget(self.fold)
            self._count_folded()

    def field(self, name: str) -> Field:
        """The row of a parameter."""
        return self._fields[name]

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters, in their order."""
        return tuple(self._fields)

    def values(self) -> dict[str, Any]:
        """What is shown, by name."""
        return {name: field.value() for name, field in self._fields.items()}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Shows values without emitting; parameters that are not named show their declared default."""
        wanted = {name: values.get(name, field.info.default) for name, field in self._fields.items()}
        if wanted == self._shown:
            return
        for name, value in wanted.items():
            self._fields[name].set_value(value)
        self._shown = wanted

    def set_defaults(self, defaults: Mapping[str, Any]) -> None:
        """What reset goes back to, for parameters whose right default depends on the data or the method."""
        for name, default in defaults.items():
            if name in self._fields:
                self._fields[name].set_default(default)

    def set_shown(self, name: str, shown: bool) -> None:
        """Whether a parameter has a row; it has none where it would do nothing."""
        self._fields[name].setVisible(shown)
        self._count_folded()

    def set_options(self, name: str, pairs: Sequence[tuple[str, str]]) -> None:
        """Other values for a choice."""
        self._shown = None
        field = self._fields[name]
        assert isinstance(field, ChoiceField)
        field.set_options(pairs)

    def _count_folded(self) -> None:
        if self.fold is not None:
            count = sum(not self._fields[name].isHidden() for name in self._folded)
            self.fold.set_title(f"Advanced ({count})")

    def _make(self, info: ParamInfo, options: Options | None) -> Field:
        field = field_for(info, (options or {}).get(info.name, ()))
        self._fields[info.name] = field
        field.edited.connect(lambda value, name=info.name: self._on_edited(name, value))
        field.settled.connect(self._on_settled)
        return field

    def _on_edited(self, name: str, value: Any) -> None:
        self._shown = None
        self.edited.emit(name, value, f"{id(self)}:{name}:{self._gesture}")

    def _on_settled(self) -> None:
        self._gesture += 1
