"""View plans scaled to a data set: sizes always, and strength where the images are small or have no color."""

from collections.abc import Mapping
from typing import Any

from workbench.spec.catalog import PresetCard
from workbench.spec.experiment import OpSpec, ViewSpec

SMALL = 64
"""Up to this side in px, blur takes away what there is to see, and crops and colors are tamed (see `fit_to`)."""

_SMALLEST_CROP = 0.2
# Local crops for 32 px: solo-learn's multi-crop of CIFAR (scripts/pretrain/cifar/augmentations/swav).
_SMALL_LOCAL_CROP = (0.08, 0.5)
_LOCAL_SHARE = 96 / 224
_LEAST_LOCAL = 16  # px, the least that the backbones take
_STRONG = 0.4
_STRENGTHS = ("brightness", "contrast", "saturation", "hue")


def fit_to(preset: PresetCard, *, size: int, channels: str, scaled: bool = True) -> tuple[ViewSpec, ...]:
    """The preset's views for images of `size` px and 'rgb', 'gray' or 'planes' channels.

    Sizes: global views get the images' size and local ones 96/224 of it (16 px at least); those of a preset that
    was made for a size of its own are enlarged or reduced with it. Unless `scaled`, that is all.

    Scaled: where a plan for larger images is taken to 64 px and less, there is no blur, global crops keep at least
    a fifth of the image, local ones 0.08 to 0.5, and color jitter above 0.4 is halved (as SimCLR does for CIFAR:
    arXiv:2002.05709, appendix B.9). Where images have no color (one gray channel, or planes that are no colors),
    there is no grayscale, and jitter leaves saturation and hue alone.
    """
    return _Fit(preset, size=size, channels=channels, scaled=scaled).views


def fit_reasons(preset: PresetCard, *, size: int, channels: str) -> tuple[str, ...]:
    """What scaling changes of a preset for these images, a sentence each; none where it stays as published."""
    return tuple(_Fit(preset, size=size, channels=channels, scaled=True).reasons)


class _Fit:
    """One fitting, and why it did what it did."""

    def __init__(self, preset: PresetCard, *, size: int, channels: str, scaled: bool) -> None:
        self.reasons: dict[str, None] = {}  # in order, each once
        self._size = size
        self._base = preset.made_for
        self._tame = scaled and size <= SMALL and not 0 < preset.made_for <= SMALL
        self._colorless = scaled and channels != "rgb"
        of_them = "the images have one gray channel" if channels == "gray" else "the channels are no colors"
        self._no_color = f"No grayscale and no change of saturation and hue: {of_them}."
        self.views = tuple(self._view(view) for view in preset.views)

    def _view(self, view: ViewSpec) -> ViewSpec:
        chain = tuple(fitted for op in view.chain if (fitted := self._op(op, view)) is not None)
        return ViewSpec(name=view.name, role=view.role, count=view.count, size=self._side(view), chain=chain)

    def _side(self, view: ViewSpec) -> int:
        if self._base == self._size:
            return view.size
        if not self._base and view.role == "global":
            return self._size
        share = view.size / self._base if self._base else _LOCAL_SHARE
        least = min(_LEAST_LOCAL, self._size)
        return min(1024, max(least, round(self._size * share / 2) * 2))

    def _op(self, op: OpSpec, view: ViewSpec) -> OpSpec | None:
        """The op as it suits the data, or None where it does not."""
        params = dict(op.params)
        if op.op == "grayscale" and self._colorless:
            self._because(self._no_color)
            return None
        if op.op == "gaussian_blur" and self._tame:
            self._because(f"No blur: at {self._size} px it takes away what there is to see.")
            return None
        if op.op == "random_resized_crop" and self._tame and _is_range(params.get("scale")):
            params["scale"] = self._crop(params["scale"], view)
        if op.op == "color_jitter":
            params |= self._jitter(params)
        return OpSpec(op=op.op, enabled=op.enabled, params=params)

    def _crop(self, scale: Any, view: ViewSpec) -> Any:
        low, high = scale
        least, most = (_SMALLEST_CROP, _SMALLEST_CROP) if view.role == "global" else _SMALL_LOCAL_CROP
        if low >= least and high >= most:
            return scale
        kept = "Crops keep at least a fifth" if view.role == "global" else "Local crops keep 8 to 50 %"
        self._because(f"{kept} of the image, which has only {self._size} px.")
        return [max(low, least), max(high, most)]

    def _jitter(self, params: Mapping[str, Any]) -> dict[str, float]:
        changed: dict[str, float] = {}
        strengths = {name: params[name] for name in _STRENGTHS if _is_number(params.get(name))}
        if self._tame and strengths.get("brightness", 0) > _STRONG:
            changed = {name: strength / 2 for name, strength in strengths.items()}
            self._because("Half the color jitter, as SimCLR has it for small images.")
        if self._colorless:
            if any(params.get(name, 1) for name in ("saturation", "hue")):
                self._because(self._no_color)
            changed |= {"saturation": 0.0, "hue": 0.0}
        return changed

    def _because(self, sentence: str) -> None:
        self.reasons[sentence] = None


def _is_number(value: Any) -> bool:
    """Files of people are fitted before an op has checked them."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_range(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 2 and all(_is_number(end) for end in value)
