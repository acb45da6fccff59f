"""Folders and thumbnails: answered without torch."""

from pathlib import Path

from workbench.engine.handlers.torch_side import pictures_first
from workbench.engine.messages import Arrays, Scan, ScanReply, Thumbnails, ThumbnailsReply
from workbench.spec.progress import Report


def scan(request: Scan, report: Report) -> tuple[ScanReply, Arrays]:
    """Reads every header below a folder."""
    from workbench.data.scan import scan_folder

    with pictures_first():
        return ScanReply(report=scan_folder(Path(request.folder), report)), {}


def make_thumbnails(request: Thumbnails, report: Report) -> tuple[ThumbnailsReply, Arrays]:
    """Small pictures with their sides as they are."""
    from workbench.data.thumbnails import thumbnails

    report("reading pictures", 0, len(request.paths))
    with pictures_first():
        pixels = thumbnails(Path(request.folder), request.paths, request.size)
    return ThumbnailsReply(paths=request.paths), {"pixels": pixels}
