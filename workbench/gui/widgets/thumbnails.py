"""Small pictures from the engine: asked for in batches, what is on the screen first, and kept."""

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from workbench.engine.messages import Arrays, Thumbnails, ThumbnailsReply
from workbench.engine.protocol import Failed
from workbench.gui.bridge import Engine

_BATCH = 48
_KEPT_BYTES = 96 * 1024**2


class ThumbnailSource(QObject):
    """`want` says which pictures are looked at; `arrived` says that some of them are there; `get` gives one.

    One request is open at a time, so that what is wanted by then decides the next one. A file that
    cannot be read gives a null image.
    """

    arrived = Signal()

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._kept: OrderedDict[tuple[str, str, int], QImage] = OrderedDict()
        self._bytes = 0
        self._wanted: tuple[str, tuple[str, ...], int] = ("", (), 0)
        self._open = False

    def get(self, folder: str, path: str, size: int) -> QImage | None:
        """A picture of size x size pixels, None while it is not there yet."""
        key = (folder, path, size)
        image = self._kept.get(key)
        if image is not None:
            self._kept.move_to_end(key)
        return image

    def want(self, folder: str, paths: Sequence[str], size: int) -> None:
        """Asks for pictures, most wanted first. Replaces what was wanted before."""
        self._wanted = (folder, tuple(paths), size)
        self._ask()

    def forget(self) -> None:
        """Drops everything (the files may have changed)."""
        self._kept.clear()
        self._bytes = 0

    def _ask(self) -> None:
        folder, paths, size = self._wanted
        missing = [path for path in paths if (folder, path, size) not in self._kept][:_BATCH]
        if self._open or not missing or size <= 0:
            return
        self._open = True
        request = Thumbnails(folder=folder, paths=tuple(missing), size=size)

        def on_done(reply: ThumbnailsReply, arrays: Arrays) -> None:
            self._keep(request, reply, arrays["pixels"])

        def on_failed(failure: Failed) -> None:
            self._open = False
            if failure.reason == "error":
                self._keep(request, ThumbnailsReply(paths=request.paths), None)

        self._engine.ask(request, done=on_done, failed=on_failed)

    def _keep(self, request: Thumbnails, reply: ThumbnailsReply, pixels: NDArray[np.generic] | None) -> None:
        self._open = False
        for row, path in enumerate(reply.paths):
            image = QImage() if pixels is None else to_image(pixels[row])
            self._kept[request.folder, path, request.size] = image
            self._bytes += image.sizeInBytes()
        while self._bytes > _KEPT_BYTES and len(self._kept) > _BATCH:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.sizeInBytes()
        self.arrived.emit()
        self._ask()


def to_image(pixels: NDArray[np.generic]) -> QImage:
    """A picture of (h, w, 4) uint8 RGBA or (h, w, 3) uint8 RGB; null where it is wholly transparent."""
    height, width, channels = pixels.shape
    block = np.ascontiguousarray(pixels, dtype=np.uint8)
    if channels == 4 and not block[..., 3].any():
        return QImage()
    kind = QImage.Format.Format_RGBA8888 if channels == 4 else QImage.Format.Format_RGB888
    image = QImage(block.data, width, height, channels * width, kind)
    return image.copy() if channels == 3 else image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
