"""Views of a few images, to the pixel as training makes them."""

import hashlib
import threading
import time
from collections import OrderedDict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.data.identity import image_ids
from workbench.data.shown import SHOWN, as_pictures, of_three
from workbench.engine.handlers import torch_side
from workbench.engine.messages import Arrays, OpDrawn, Preview, PreviewReply, ViewDrawn
from workbench.spec.errors import UsageError
from workbench.spec.experiment import DataSpec
from workbench.spec.progress import Report

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.augment.plan import ShownView
    from workbench.augment.takes import Takes

Pixels = NDArray[np.uint8]
Stored = NDArray[np.unsignedinteger[Any]]
_Key = tuple[object, ...]


class DecodedImages:
    """The last images that were read, so that a slider's move decodes nothing. Bounded in bytes."""

    def __init__(self, largest: int = 256 * 1024**2) -> None:
        self._largest = largest
        self._held = 0
        self._images: OrderedDict[_Key, Stored] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, data: DataSpec, paths: tuple[str, ...]) -> Stored:
        """(n, C, S, S) as the pixel store holds them. Raises `DataError` naming the file that cannot be read."""
        from workbench.data.planes import counted
        from workbench.data.prepare import read_images

        data = counted(data, Path(data.folder).expanduser(), paths)
        keys = [_key(data, path) for path in paths]
        with self._lock:
            found = {key: self._images[key] for key in keys if key in self._images}
            for key in found:
                self._images.move_to_end(key)
        missing = list(dict.fromkeys(path for path, key in zip(paths, keys, strict=True) if key not in found))
        if missing:
            images = read_images(Path(data.folder), missing, data)
            found |= {_key(data, path): image for path, image in zip(missing, images, strict=True)}
            self._keep({_key(data, path): image for path, image in zip(missing, images, strict=True)})
        return np.stack([found[key] for key in keys])

    def _keep(self, images: dict[_Key, Stored]) -> None:
        with self._lock:
            for key, image in images.items():
                self._images[key] = image.copy()
                self._held += image.nbytes
            while self._held > self._largest and len(self._images) > 1:
                self._held -= self._images.popitem(last=False)[1].nbytes


_IMAGES = DecodedImages()


def decoded(data: DataSpec, paths: tuple[str, ...]) -> Stored:
    """Images as the pixel store holds them, from what was read before where it can be."""
    return _IMAGES.read(data, paths)


def preview(request: Preview, report: Report) -> tuple[PreviewReply, Arrays]:
    """The views of each image, what was drawn for them, and one chain step by step."""
    _refuse_nonsense(request)
    report("making views", 0, 0)
    registry = torch_side.registry()
    torch_side.use_all_cores()
    import torch

    from workbench.augment.pixels import as_levels
    from workbench.augment.plan import ViewPlan

    pixels = _IMAGES.read(request.data, request.paths)
    originals = _fingerprint(request)
    report("making views", 0, 0)
    began = time.perf_counter()
    plan = ViewPlan(request.views, registry.ops)
    ids = torch.from_numpy(image_ids(request.paths))
    with torch.inference_mode():
        takes = _takes()
        takes.turn_to(originals)
        stored = torch.from_numpy(pixels)
        shown = plan.show(stored, seed=request.seed, epoch=request.epoch, ids=ids, takes=takes)
        arrays: Arrays = {} if request.held == originals else {"originals": as_pictures(pixels)}
        arrays |= {f"view-{number}": _in_color(view.pictures) for number, view in enumerate(shown)}
        taken = (
            plan.steps_shown(stored, shown, takes, view=request.steps_view, item=request.steps_of)
            if request.steps_of >= 0
            else []
        )
        pictures: Arrays = {
            f"step-{number}": _in_color(as_levels(step.image[None]))[0] for number, step in enumerate(taken)
        }
    reply = PreviewReply(
        names=tuple(view.name for view in shown),
        drawn=tuple(_drawn(view) for view in shown),
        steps=tuple(OpDrawn(op=step.op, title=step.title, text=step.text) for step in taken),
        originals=originals,
        milliseconds=(time.perf_counter() - began) * 1000,
    )
    return reply, {**arrays, **pictures}


def _refuse_nonsense(request: Preview) -> None:
    if not request.paths:
        raise UsageError("A preview needs at least one image.")
    if request.steps_of >= len(request.paths):
        raise UsageError(f"There is no image {request.steps_of} among the {len(request.paths)} of this preview.")


def _key(data: DataSpec, path: str) -> _Key:
    try:
        changed = (Path(data.folder) / path).stat().st_mtime_ns
    except OSError:
        changed = 0  # Reading it says what is wrong.
    read = (data.size, data.fit, data.channels, data.planes, data.depth, data.black, data.white)
    return data.folder, path, changed, *read


@cache
def _takes() -> "Takes":
    """The last ones; previews are made on one lane, one after another."""
    from workbench.augment.takes import Takes

    return Takes()


def _fingerprint(request: Preview) -> str:
    """Of the originals: these images of this folder, as they are now, read this way."""
    keys = "\n".join(str(_key(request.data, path)) for path in request.paths)
    return hashlib.sha1(keys.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def _drawn(view: "ShownView") -> tuple[ViewDrawn, ...]:
    corners = view.corners.tolist()
    return tuple(
        ViewDrawn(
            corners=tuple((float(x), float(y)) for x, y in corners[item]),
            ops=tuple(OpDrawn(op=op, title=title, text=text) for op, title, text in texts),
        )
        for item, texts in enumerate(view.texts)
    )


def _in_color(pictures: "Tensor") -> Pixels:
    """(n, h, w, C) uint8 to (n, h, w, 3), of the channels that are shown."""
    return of_three(pictures[..., :SHOWN].numpy())
