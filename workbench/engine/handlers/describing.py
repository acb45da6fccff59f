"""What there is to choose from, and what there is to train on."""

import hashlib
import platform
from importlib import metadata
from pathlib import Path

import msgspec

from workbench import __version__
from workbench.engine.handlers import torch_side
from workbench.engine.messages import Arrays, CatalogReply, GetCatalog, GetMachine, MachineReply
from workbench.runs.folder import write_whole
from workbench.spec import places
from workbench.spec.catalog import Catalog
from workbench.spec.progress import Report

_PACKAGES = ("torch", "torchvision", "timm", "numpy", "onnx", "onnxruntime", "umap-learn", "scikit-learn", "h5py")


def get_catalog(request: GetCatalog, report: Report) -> tuple[CatalogReply, Arrays]:
    """Every plugin, described: from the cache where no file has changed, so that the window need not wait for torch."""
    del request
    kept = places.cache_folder() / "catalog" / f"{_fingerprint()}.msgpack"
    try:
        return CatalogReply(catalog=msgspec.msgpack.decode(kept.read_bytes(), type=Catalog)), {}
    except (OSError, msgspec.DecodeError):
        report("loading the methods", 0, 0)
    catalog = torch_side.registry().cards()
    if not catalog.broken:  # What is broken may be mended by something that is not in its file.
        _keep(kept, catalog)
    return CatalogReply(catalog=catalog), {}


def get_machine(request: GetMachine, report: Report) -> tuple[MachineReply, Arrays]:
    """Devices, best first, and versions."""
    del request
    report("looking for devices", 0, 0)
    torch_side.registry()
    from workbench.training.devices import list_devices

    return MachineReply(devices=list_devices(), versions=versions()), {}


def versions() -> dict[str, str]:
    """Of the program, the system, and the libraries that results depend on."""
    found = {"workbench": __version__, "python": platform.python_version(), "system": platform.platform()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def _fingerprint() -> str:
    """Of all that the catalog is made from: plugins, presets, ready experiments, our own files, torch's version."""
    digest = hashlib.sha256(f"{__version__} {metadata.version('torch')} {platform.python_version()}".encode())
    resources = places.bundled("resources")
    folders = [*places.plugin_folders(), resources / "presets", resources / "experiments", places.presets_folder()]
    ours = Path(__file__).resolve().parents[2]
    folders += [ours / name for name in ("catalog", "method", "augment", "spec")]
    for folder in folders:
        for file in sorted((*folder.rglob("*.py"), *folder.rglob("*.toml"))):
            digest.update(str(file).encode("utf-8", "surrogateescape"))
            digest.update(file.read_bytes())
    return digest.hexdigest()[:32]


def _keep(file: Path, catalog: Catalog) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        for older in file.parent.glob("*.msgpack"):
            older.unlink(missing_ok=True)
        write_whole(file, msgspec.msgpack.encode(catalog))
    except OSError:
        return  # A cache that cannot be written costs time, nothing else.
