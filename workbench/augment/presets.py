"""Named view plans from TOML files, and their adaption to a data set."""

import tomllib
from pathlib import Path
from typing import Any

from workbench.spec.catalog import PresetCard
from workbench.spec.errors import PluginError, SpecError
from workbench.spec.experiment import OpSpec, ViewSpec
from workbench.spec.toml import views_from_tree

# Up to this size, blur takes away what there is to see, and crops and colors are tamed (see `fit_to`).
SMALL = 64
_SMALLEST_CROP = 0.2
_LOCAL_SHARE = 96 / 224


def load_presets(folder: Path) -> tuple[PresetCard, ...]:
    """The presets of a folder, one TOML file each, by their `order` and then by name.

    Raises `PluginError` with the file's name for one that cannot be read.
    """
    found = []
    for path in sorted(folder.glob("*.toml")):
        try:
            tree = tomllib.loads(path.read_text(encoding="utf-8"))
            found.append((int(tree.get("order", 1000)), _card(path.stem, tree)))
        except (OSError, ValueError, SpecError) as error:
            raise PluginError(f"The preset {path} cannot be read: {error}") from error
    return tuple(card for _, card in sorted(found, key=lambda entry: (entry[0], entry[1].name)))


def fit_to(preset: PresetCard, *, size: int, channels: str) -> tuple[ViewSpec, ...]:
    """The preset's views for images of `size` px and 'rgb' or 'gray' channels.

    Global views get the size, local ones 96/224 of it. At 64 px and less there is no blur, crops keep at
    least a fifth of the image, and color jitter above 0.4 is halved (as SimCLR does for CIFAR: arXiv:2002.05709,
    appendix B.9). On gray images there is no grayscale, and jitter leaves saturation and hue alone.
    """
    return tuple(_fitted(view, size, channels) for view in preset.views)


def _card(name: str, tree: dict[str, Any]) -> PresetCard:
    for key in ("title", "help", "views"):
        if key not in tree:
            raise SpecError(f"'{key}' is missing")
    return PresetCard(name=name, title=tree["title"], help=tree["help"], views=views_from_tree(tree["views"]))


def _fitted(view: ViewSpec, size: int, channels: str) -> ViewSpec:
    side = size if view.role == "global" else max(8, round(size * _LOCAL_SHARE / 2) * 2)
    chain = tuple(fitted for op in view.chain if (fitted := _fitted_op(op, view, size, channels)) is not None)
    return ViewSpec(name=view.name, role=view.role, count=view.count, size=side, chain=chain)


def _fitted_op(op: OpSpec, view: ViewSpec, size: int, channels: str) -> OpSpec | None:
    """The op as it suits the data, or None where it does not."""
    params = dict(op.params)
    if op.op == "grayscale" and channels == "gray":
        return None
    if op.op == "gaussian_blur" and size <= SMALL:
        return None
    if op.op == "random_resized_crop" and size <= SMALL and view.role == "global" and "scale" in params:
        low, high = params["scale"]
        params["scale"] = [max(low, _SMALLEST_CROP), max(high, _SMALLEST_CROP)]
    if op.op == "color_jitter":
        if size <= SMALL and params.get("brightness", 0) > 0.4:
            strengths = ("brightness", "contrast", "saturation", "hue")
            params |= {name: params[name] / 2 for name in strengths if name in params}
        if channels == "gray":
            params |= {"saturation": 0.0, "hue": 0.0}
    return OpSpec(op=op.op, enabled=op.enabled, params=params)
