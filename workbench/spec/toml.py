"""An experiment as a TOML file, and back, with every key checked."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from workbench.spec.errors import NotFoundError, SpecError, UnknownKeyError, why
from workbench.spec.experiment import (
    VERSION,
    BackboneSpec,
    DataSpec,
    Experiment,
    MethodSpec,
    OpSpec,
    TaskSpec,
    TrainSpec,
    ViewSpec,
    WatchSpec,
)
from workbench.spec.params import Params, convert

_SECTIONS: dict[str, type[Params]] = {
    "data": DataSpec,
    "backbone": BackboneSpec,
    "train": TrainSpec,
    "watch": WatchSpec,
}

# One function per step: _MIGRATIONS[1] turns version 1 into version 2.
_MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


def load(path: Path) -> Experiment:
    """Reads an experiment file. Raises `NotFoundError` or `SpecError`, which name the file."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # Some editors begin a file with a mark.
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no experiment file {path}.", hint="`workbench new` writes one.") from error
    except IsADirectoryError as error:
        raise SpecError(f"{path} is a folder, not an experiment file.", hint="`workbench new` writes one.") from error
    except UnicodeDecodeError as error:
        raise SpecError(f"{path} is not an experiment file: it is not text (UTF-8).") from error
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {why(error)}.") from error
    try:
        return from_tree(_parsed(text, str(path)))
    except SpecError as error:
        if str(path) not in error.message:
            error.within(path)
        raise


def loads(text: str, *, source: str = "the experiment") -> Experiment:
    """Reads an experiment from TOML text."""
    return from_tree(_parsed(text, source))


def _parsed(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{source} is not valid TOML: {error}.") from error


def dumps(experiment: Experiment) -> str:
    """The experiment as TOML text, complete (defaults included), with one line per op."""
    tree = to_tree(experiment)
    views = tree.pop("views")
    head = {key: tree.pop(key) for key in ("version", "name", "seed", "data")}
    if not views:
        head["views"] = []  # Said, or it would be read as the default views.
    return "\n".join([tomli_w.dumps(head), *(_view_text(view) for view in views), tomli_w.dumps(tree)])


def views_text(head: Mapping[str, Any], views: Iterable[ViewSpec]) -> str:
    """Plain values and then views as TOML text, with one line per op."""
    return "\n".join([tomli_w.dumps(head), *(_view_text(view) for view in views_to_tree(views))])


def from_tree(tree: Mapping[str, Any]) -> Experiment:
    """Checks plain data (as TOML gives it) and makes an experiment of it."""
    values = _migrate(dict(tree))
    for key in values:
        if key not in Experiment.__struct_fields__:
            raise UnknownKeyError(key, Experiment.__struct_fields__, where="")
    if "data" not in values:
        raise SpecError("'data' is missing: an experiment needs [data] with a folder.")
    for name, section in _SECTIONS.items():
        if name in values:
            values[name] = convert(_table(values[name], name), section, where=name)
    if "method" in values:
        values["method"] = method_from_tree(values["method"])
    if "views" in values:
        values["views"] = views_from_tree(values["views"])
    return convert(values, Experiment)


def method_from_tree(value: Any) -> MethodSpec:
    """The `[method]` table, with the tasks of `[[method.also]]` beside it."""
    table = _table(value, "method")
    also = table.get("also", [])
    if not isinstance(also, (list, tuple)):
        raise SpecError("must be tables, written [[method.also]]", where="method.also")
    places = [f"method.also[{number}]" for number in range(len(also))]
    tasks = tuple(convert(_table(task, where), TaskSpec, where=where) for task, where in zip(also, places, strict=True))
    return convert({**table, "also": tasks}, MethodSpec, where="method")


def to_tree(experiment: Experiment) -> dict[str, Any]:
    """Plain data as the TOML file holds it."""
    tree: dict[str, Any] = {"version": experiment.version, "name": experiment.name, "seed": experiment.seed}
    tree["data"] = msgspec.to_builtins(experiment.data)
    tree["views"] = views_to_tree(experiment.views)
    for name in ("method", "backbone", "train", "watch"):
        tree[name] = msgspec.to_builtins(getattr(experiment, name))
    tree["method"]["also"] = list(tree["method"]["also"])
    return tree


def views_from_tree(views: Any) -> tuple[ViewSpec, ...]:
    """The `[[views]]` tables, with each op's parameters beside its name."""
    if not isinstance(views, (list, tuple)):
        raise SpecError("must be tables, written [[views]]", where="views")
    return tuple(_view(view, f"views[{number}]") for number, view in enumerate(views))


def views_to_tree(views: Iterable[ViewSpec]) -> list[dict[str, Any]]:
    """The inverse of `views_from_tree`."""
    return [{**msgspec.to_builtins(view), "chain": [_op_to_tree(op) for op in view.chain]} for view in views]


def set_values(experiment: Experiment, assignments: Iterable[str]) -> Experiment:
    """The experiment with every 'KEY=VALUE' in place, in order. Raises `SpecError`."""
    for assignment in assignments:
        experiment = set_value(experiment, assignment)
    return experiment


def set_value(experiment: Experiment, assignment: str) -> Experiment:
    """Applies 'train.epochs=5'. The value is TOML where it parses, a plain string where it does not."""
    key, separator, text = assignment.partition("=")
    if not separator:
        raise SpecError(f"'{assignment}' is not KEY=VALUE (as in train.epochs=5).")
    try:
        value = tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    tree = to_tree(experiment)
    *path, last = key.strip().split(".")
    place: Any = tree
    for depth, part in enumerate(path):
        place = _step(place, part, ".".join(path[:depth]))
    if isinstance(place, list):
        place[_position(place, last, ".".join(path))] = value
    elif isinstance(place, dict):
        # 'data.column=2020' means the text, because that is what is there.
        is_text = isinstance(place.get(last), str) and not isinstance(value, str)
        place[last] = text.strip() if is_text else value
    else:
        raise UnknownKeyError(last, (), where=".".join(path))
    return from_tree(tree)


def _step(place: Any, part: str, where: str) -> Any:
    if isinstance(place, list):
        return place[_position(place, part, where)]
    if not isinstance(place, dict) or part not in place:
        allowed = place.keys() if isinstance(place, dict) else ()
        raise UnknownKeyError(part, allowed, where=where)
    return place[part]


def _position(place: list[Any], part: str, where: str) -> int:
    if not part.isdigit() or int(part) >= len(place):
        raise SpecError(f"'{part}' is not a position from 0 to {len(place) - 1}", where=where)
    return int(part)


def _migrate(values: dict[str, Any]) -> dict[str, Any]:
    version = values.get("version", VERSION)
    if not isinstance(version, int) or version < 1:
        raise SpecError(f"{version!r} is not a version number", where="version")
    if version > VERSION:
        raise SpecError(
            f"this experiment has version {version}, and this program knows {VERSION} at most",
            hint="Update Pretext Workbench.",
        )
    for step in range(version, VERSION):
        values = _MIGRATIONS[step](values)
    values["version"] = VERSION
    return values


def _table(value: Any, where: str) -> dict[str, Any]:
    if isinstance(value, msgspec.Struct):
        return dict(msgspec.to_builtins(value))
    if not isinstance(value, dict):
        raise SpecError(f"must be a table, written [{where}]", where=where)
    return value


def _view(value: Any, where: str) -> ViewSpec:
    table = _table(value, where)
    chain = table.get("chain", [])
    if not isinstance(chain, (list, tuple)):
        raise SpecError("must be a list of {op = ...}", where=f"{where}.chain")
    ops = tuple(_op_from_tree(op, f"{where}.chain[{position}]") for position, op in enumerate(chain))
    return convert({**table, "chain": ops}, ViewSpec, where=where)


def _op_from_tree(value: Any, where: str) -> OpSpec:
    table = dict(_table(value, where))
    name = table.pop("op", None)
    if not isinstance(name, str):
        raise SpecError('needs a name, as in {op = "horizontal_flip", p = 0.5}', where=where)
    enabled = table.pop("enabled", True)
    if not isinstance(enabled, bool):
        raise SpecError("enabled is true or false", where=where)
    return OpSpec(op=name, enabled=enabled, params=table)


def _op_to_tree(op: OpSpec) -> dict[str, Any]:
    tree: dict[str, Any] = {"op": op.op}
    if not op.enabled:
        tree["enabled"] = False
    return {**tree, **msgspec.to_builtins(op.params)}


def _view_text(view: Mapping[str, Any]) -> str:
    lines = [f"{_value(key, bare=True)} = {_value(value)}" for key, value in view.items() if key != "chain"]
    ops = [f"    {_value(op)},\n" for op in view["chain"]]
    chain = f"[\n{''.join(ops)}]" if ops else "[]"
    return "\n".join(["[[views]]", *lines, f"chain = {chain}", ""])


def _value(value: Any, *, bare: bool = False) -> str:
    """A value on one line, which tomli_w writes over several where it is an array or a table."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_value(key, bare=True)} = {_value(item)}' for key, item in value.items())} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(item) for item in value)}]"
    if bare:
        return tomli_w.dumps({value: 0}).removesuffix(" = 0\n")
    return tomli_w.dumps({"v": value}).removeprefix("v = ").rstrip("\n")
