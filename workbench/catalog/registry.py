"""Everything there is to choose from: the plugins of the trusted folders, loaded and checked.

A plugin that fails is an entry in `broken`, and everything else still works.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Protocol, TypeVar

from workbench.augment.op import OpInfo
from workbench.catalog.plugin import broken, load_file, plugin_files
from workbench.catalog.records import backbones_in, methods_in, ops_in
from workbench.method.backbone import BackboneInfo
from workbench.method.contract import MethodInfo
from workbench.spec import places
from workbench.spec.catalog import Broken, Catalog, PresetCard, ReadyCard
from workbench.spec.errors import NotFoundError, PluginError
from workbench.spec.presets import load_presets, own_presets
from workbench.spec.ready import load_ready


class _Named(Protocol):
    @property
    def name(self) -> str: ...


R = TypeVar("R", bound=_Named)


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The loaded plugins by name, in alphabetical order, and those that could not be loaded."""

    methods: Mapping[str, MethodInfo[Any]]
    backbones: Mapping[str, BackboneInfo]
    ops: Mapping[str, OpInfo[Any]]
    presets: tuple[PresetCard, ...] = ()
    experiments: tuple[ReadyCard, ...] = ()
    broken: tuple[Broken, ...] = ()

    def method(self, name: str) -> MethodInfo[Any]:
        """The method of that name; `NotFoundError` with the closest one otherwise."""
        return _get("method", name, self.methods)

    def backbone(self, name: str) -> BackboneInfo:
        """The backbone of that name; `NotFoundError` with the closest one otherwise."""
        return _get("backbone", name, self.backbones)

    def op(self, name: str) -> OpInfo[Any]:
        """The op of that name; `NotFoundError` with the closest one otherwise."""
        return _get("op", name, self.ops)

    def preset(self, name: str) -> PresetCard:
        """The view preset of that name; `NotFoundError` with the closest one otherwise."""
        return _get("preset", name, {preset.name: preset for preset in self.presets})

    def experiment(self, name: str) -> ReadyCard:
        """The ready experiment of that name; `NotFoundError` with the closest one otherwise."""
        return _get("ready experiment", name, {card.name: card for card in self.experiments})

    def cards(self) -> Catalog:
        """All of it as plain data."""
        return Catalog(
            methods=tuple(info.card() for info in self.methods.values()),
            backbones=tuple(info.card() for info in self.backbones.values()),
            ops=tuple(info.card() for info in self.ops.values()),
            presets=self.presets,
            experiments=self.experiments,
            broken=self.broken,
        )


def load_registry(folders: Sequence[Path] | None = None) -> Registry:
    """The plugins below `folders`, which the user has trusted: by default `places.plugin_folders()`.

    Loaded once per process and set of folders; the user's own presets again when their files have changed.
    """
    chosen = places.plugin_folders() if folders is None else folders
    folder = places.presets_folder()
    return _with_own(tuple(Path(folder) for folder in chosen), folder, _stamps(folder))


@lru_cache(maxsize=8)
def _load(folders: tuple[Path, ...]) -> Registry:
    failed: list[Broken] = []
    return Registry(
        methods=_collect(folders, "methods", methods_in, failed),
        backbones=_collect(folders, "backbones", backbones_in, failed),
        ops=_collect(folders, "ops", ops_in, failed),
        presets=_presets(failed),
        experiments=_experiments(failed),
        broken=tuple(failed),
    )


@lru_cache(maxsize=8)
def _with_own(folders: tuple[Path, ...], own: Path, stamps: tuple[tuple[str, int], ...]) -> Registry:
    """The plugins and the presets of the user, whose files are told apart by their names and times."""
    del stamps
    loaded = _load(folders)
    presets, failed = own_presets(own, loaded.presets)
    return replace(loaded, presets=(*loaded.presets, *presets), broken=(*loaded.broken, *failed))


def _stamps(folder: Path) -> tuple[tuple[str, int], ...]:
    found = []
    for path in sorted(folder.glob("*.toml")):
        with suppress(OSError):  # It may be gone since it was listed.
            found.append((path.name, path.stat().st_mtime_ns))
    return tuple(found)


def _collect(
    folders: Sequence[Path], kind: str, records_in: Callable[[ModuleType], tuple[R, ...]], failed: list[Broken]
) -> Mapping[str, R]:
    records: dict[str, R] = {}
    sources: dict[str, Path] = {}
    for path in (path for folder in folders for path in plugin_files(folder, kind)):
        try:
            found = records_in(load_file(path, kind))
        except PluginError as error:
            failed.append(broken(path, error))
            continue
        for record in found:
            if record.name in records:
                failed.append(_clash(record.name, path, sources[record.name]))
                continue
            records[record.name] = record
            sources[record.name] = path
    return MappingProxyType(dict(sorted(records.items())))


def _clash(name: str, path: Path, first: Path) -> Broken:
    message = f"'{name}' is declared by {first} and by {path}; the first one is used. Rename the other."
    return Broken(file=str(path), message=message)


def _presets(failed: list[Broken]) -> tuple[PresetCard, ...]:
    presets, unreadable = load_presets(places.bundled("resources") / "presets")
    failed += unreadable
    return presets


def _experiments(failed: list[Broken]) -> tuple[ReadyCard, ...]:
    experiments, unreadable = load_ready(places.bundled("resources") / "experiments")
    failed += unreadable
    return experiments


def _get(kind: str, name: str, records: Mapping[str, R]) -> R:
    if name not in records:
        raise NotFoundError.named(kind, name, records)
    return records[name]
