"""From what an experiment says of its method, and of tasks beside it, to one record and its parameters."""

from typing import Any

from workbench.catalog.registry import Registry
from workbench.method.contract import MethodInfo
from workbench.method.several import SeveralParams, Task, several
from workbench.spec.errors import SpecError
from workbench.spec.experiment import MethodSpec
from workbench.spec.params import Params, convert


def method_of(spec: MethodSpec, registry: Registry) -> MethodInfo[Any]:
    """The method, or one record for all tasks on the encoder.

    Raises `NotFoundError` for one that is not there, and `SpecError` where they cannot be together.
    """
    infos = tasks_of(spec, registry)
    if len(infos) == 1:
        if infos[0].beside_only:
            raise SpecError(
                f"{infos[0].title} leads nowhere alone.",
                where="method.name",
                hint="Choose another method, and add this one as a task beside it.",
            )
        return infos[0]
    names = [info.name for info in infos]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise SpecError(f"'{twice}' is there twice; a task is trained once, with one weight.", where="method.also")
    choosing = [info.title for info in infos if info.uses_tuples]
    if len(choosing) > 1:
        raise SpecError(
            f"{choosing[0]} and {choosing[1]} both choose which images come together, and only one can.",
            where="method.also",
        )
    return several([Task(info=info, weight=task.weight) for info, task in zip(infos, spec.tasks, strict=True)])


def tasks_of(spec: MethodSpec, registry: Registry) -> list[MethodInfo[Any]]:
    """The method's record, and those of the tasks beside it. Raises `NotFoundError` for one that is not there."""
    return [registry.method(task.name) for task in spec.tasks]


def params_of(spec: MethodSpec, registry: Registry) -> Params:
    """The checked parameters that `method_of` is built with. Raises `SpecError` with the place of what is wrong."""
    places = ["method.params", *(f"method.also[{number}].params" for number in range(len(spec.also)))]
    found = [
        convert(task.params, registry.method(task.name).params, where=where)
        for task, where in zip(spec.tasks, places, strict=True)
    ]
    return SeveralParams(tasks=tuple(found)) if len(found) > 1 else found[0]
