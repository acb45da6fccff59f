"""Checks the records that a plugin declares, so that a mistake is a sentence at the start and not a crash later."""

import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from workbench.augment.op import OpInfo
from workbench.method.backbone import BackboneInfo
from workbench.method.contract import MethodInfo
from workbench.spec.errors import PluginError, SpecError
from workbench.spec.params import Params, convert, describe

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def methods_in(module: ModuleType) -> tuple[MethodInfo[Any], ...]:
    """The checked METHOD of a plugin. Raises `PluginError`."""
    method = _exported(module, "METHOD", MethodInfo)
    _check_texts(method, ("title", "family", "summary", "explanation", "when", "collapse"))
    _check_params(method.name, method.params)
    _check_callables(method.name, {"build": method.build})
    if method.min_batch < 1 or method.global_views < 1:
        raise PluginError(f"'{method.name}' needs at least one image and one global view.")
    return (method,)


def backbones_in(module: ModuleType) -> tuple[BackboneInfo, ...]:
    """The checked BACKBONES of a plugin. Raises `PluginError`."""
    backbones = _exported_all(module, "BACKBONES", BackboneInfo)
    for backbone in backbones:
        _check_texts(backbone, ("title", "family", "summary"))
        _check_callables(backbone.name, {"build": backbone.build, "loading": backbone.loading})
        if backbone.dim < 1 or backbone.min_size < 1:
            raise PluginError(f"'{backbone.name}' needs a dim and a min_size of at least 1.")
    return backbones


def ops_in(module: ModuleType) -> tuple[OpInfo[Any], ...]:
    """The checked OP or OPS of a plugin. Raises `PluginError`."""
    several = hasattr(module, "OPS")
    ops = _exported_all(module, "OPS", OpInfo) if several else (_exported(module, "OP", OpInfo),)
    for op in ops:
        _check_texts(op, ("title", "group", "help"))
        _check_params(op.name, op.params)
        _check_callables(op.name, {"build": op.build})
    return ops


def _exported(module: ModuleType, name: str, kind: type[Any]) -> Any:
    record = getattr(module, name, None)
    if not isinstance(record, kind):
        raise PluginError(f"it declares no {name} = {kind.__name__}(...).")
    _check_name(record)
    return record


def _exported_all(module: ModuleType, name: str, kind: type[Any]) -> tuple[Any, ...]:
    records = getattr(module, name, None)
    if not isinstance(records, tuple) or not records or not all(isinstance(record, kind) for record in records):
        raise PluginError(f"it declares no {name} = ({kind.__name__}(...), ...).")
    for record in records:
        _check_name(record)
    return records


def _check_name(record: Any) -> None:
    if not isinstance(record.name, str) or not _NAME.fullmatch(record.name):
        raise PluginError(f"{record.name!r} is not a name: lower-case letters, digits and underscores.")


def _check_texts(record: Any, fields: tuple[str, ...]) -> None:
    for field in fields:
        text = getattr(record, field)
        if not isinstance(text, str) or not text.strip():
            raise PluginError(f"'{record.name}' has no text for '{field}'.")


def _check_callables(name: str, callables: Mapping[str, Callable[..., Any]]) -> None:
    for field, function in callables.items():
        if not callable(function):
            raise PluginError(f"'{field}' of '{name}' cannot be called.")


def _check_params(name: str, params: Any) -> None:
    """Every parameter has a form: a kind, a help text, a default, and a default within its bounds."""
    if not isinstance(params, type) or not issubclass(params, Params):
        raise PluginError(f"'params' of '{name}' is not a subclass of Params.")
    described = {info.name: info for info in describe(params)}
    for field in params.__struct_fields__:
        if field not in described:
            raise PluginError(f"parameter '{field}' of '{name}' has a type that no form can show.")
        if not described[field].help.strip():
            raise PluginError(f"parameter '{field}' of '{name}' is not described with param(...).")
    try:
        convert({}, params, where=name)
    except SpecError as error:
        raise PluginError(f"the defaults of '{name}' do not pass their own checks: {error}") from error
