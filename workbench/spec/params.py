"""A parameter is declared once, as a field of a frozen Struct; everything else derives from that.

`describe` turns a Struct type into plain data (for forms, help and docs), and `convert` checks
values from a file or a form against it, with sentences instead of tracebacks.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import NODEFAULT, Meta, Struct
from msgspec import inspect as mi

from workbench.spec.errors import SpecError, UnknownKeyError, suggestion

S = TypeVar("S", bound=Struct)

Kind = Literal["int", "float", "bool", "choice", "text", "range"]


class Params(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every parameter record: frozen, named, and strict about unknown keys."""


class ParamInfo(Struct, frozen=True, kw_only=True):
    """One parameter as plain data. `range` is a pair (low, high) of floats, low <= high."""

    name: str
    title: str
    kind: Kind
    default: Any
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""
    unit: str = ""
    advanced: bool = False
    logarithmic: bool = False


def param(
    description: str,
    *,
    ge: float | None = None,
    le: float | None = None,
    title: str = "",
    unit: str = "",
    advanced: bool = False,
    logarithmic: bool = False,
) -> Meta:
    """The annotation of a parameter: `lr: Annotated[float, param("Step size.", ge=0, le=10)] = 0.1`.

    Bounds are inclusive. A pair (a range) takes its bounds for both ends.
    """
    extra = {"title": title, "unit": unit, "advanced": advanced, "logarithmic": logarithmic, "ge": ge, "le": le}
    return Meta(description=description, extra=extra)


def describe(params: type[Struct]) -> tuple[ParamInfo, ...]:
    """The fields of a Struct as plain data, in the order of their declaration."""
    info = mi.type_info(params)
    assert isinstance(info, mi.StructType)
    described = []
    for field in info.fields:
        extra, help_text, kind_type = _unwrap(field.type)
        kind, choices = _kind_of(kind_type)
        if kind is None:
            continue
        described.append(
            ParamInfo(
                name=field.name,
                title=extra.get("title") or field.name.replace("_", " "),
                kind=kind,
                default=_default_of(field),
                low=extra.get("ge"),
                high=extra.get("le"),
                choices=choices,
                help=help_text,
                unit=extra.get("unit", ""),
                advanced=extra.get("advanced", False),
                logarithmic=extra.get("logarithmic", False),
            )
        )
    return tuple(described)


def convert(values: Mapping[str, Any], to: type[S], *, where: str = "") -> S:
    """Checked values: unknown keys, types and bounds. Raises `SpecError` with the dotted path."""
    _refuse_unknown(values, to, where)
    try:
        record = msgspec.convert(dict(values), to)
    except msgspec.ValidationError as error:
        raise _as_spec_error(error, to, where) from error
    _check_bounds(record, where)
    return record


def _refuse_unknown(values: Mapping[str, Any], to: type[Struct], where: str) -> None:
    for key in values:
        if key not in to.__struct_fields__:
            raise UnknownKeyError(key, to.__struct_fields__, where=where)


def _check_bounds(record: Struct, where: str) -> None:
    for info in describe(type(record)):
        value = getattr(record, info.name)
        path = f"{where}.{info.name}" if where else info.name
        if info.kind not in ("int", "float", "range") or value is None:
            continue
        numbers = value if isinstance(value, (tuple, list)) else (value,)
        for number in numbers:
            if number != number:
                raise SpecError("is not a number (nan)", where=path)
            if info.low is not None and number < info.low:
                raise SpecError(f"{number:g} is below {info.low:g}", where=path)
            if info.high is not None and number > info.high:
                raise SpecError(f"{number:g} is above {info.high:g}", where=path)
        if info.kind == "range" and numbers[0] > numbers[1]:
            raise SpecError(f"the first number ({numbers[0]:g}) is larger than the second ({numbers[1]:g})", where=path)


def _as_spec_error(error: msgspec.ValidationError, to: type[Struct], where: str) -> SpecError:
    """'Expected `int`, got `str` - at `$.epochs`' becomes 'train.epochs: expected a whole number, got text'."""
    text = str(error)
    match = re.search(r" - at `\$\.?(.*)`$", text)
    inner = match.group(1) if match else ""
    message = text[: match.start()] if match else text
    path = ".".join(part for part in (where, inner) if part)
    missing = re.match(r"Object missing required field `(\w+)`", message)
    if missing:
        return SpecError(f"'{missing.group(1)}' is missing", where=path)
    wrong = re.match(r"Invalid enum value ['`](.*)['`]", message)
    if wrong:
        return SpecError(f"'{wrong.group(1)}' is not possible{_choices(to, inner, wrong.group(1))}", where=path)
    for name, words in _WORDS.items():
        message = message.replace(f"`{name}`", words)
    return SpecError(message[0].lower() + message[1:].replace("`", ""), where=path)


_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
"""The types of a file's values, for who never programs."""


def _choices(to: type[Struct], name: str, given: str) -> str:
    for info in describe(to):
        if info.name == name and info.choices:
            return f"{suggestion(given, info.choices)} Possible: {', '.join(info.choices)}"
    return ""


def _unwrap(kind: mi.Type) -> tuple[dict[str, Any], str, mi.Type]:
    extra: dict[str, Any] = {}
    help_text = ""
    while isinstance(kind, mi.Metadata):
        extra = {**(kind.extra or {}), **extra}
        if kind.extra_json_schema:
            help_text = kind.extra_json_schema.get("description", help_text)
        kind = kind.type
    return extra, help_text, kind


def _kind_of(kind: mi.Type) -> tuple[Kind | None, tuple[str, ...]]:
    if isinstance(kind, mi.LiteralType):
        return "choice", tuple(str(value) for value in kind.values)
    if isinstance(kind, mi.TupleType) and all(isinstance(_unwrap(t)[2], mi.FloatType) for t in kind.item_types):
        return ("range", ()) if len(kind.item_types) == 2 else (None, ())
    simple: dict[type, Kind] = {mi.IntType: "int", mi.FloatType: "float", mi.BoolType: "bool", mi.StrType: "text"}
    return simple.get(type(kind)), ()


def _default_of(field: mi.Field) -> Any:
    if field.default is not NODEFAULT:
        return field.default
    if field.default_factory is not NODEFAULT:
        return field.default_factory()
    return None
