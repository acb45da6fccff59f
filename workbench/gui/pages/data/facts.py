"""What a scan says, in the words of the page."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from workbench.gui import words
from workbench.gui.widgets.table import Fact
from workbench.spec.dataset import ScanReport, is_planar, pixels_in_words


def summary(scan: ScanReport) -> list[Fact]:
    """Counts, sizes and kinds of pixels."""
    facts: list[Fact] = [("images", f"{scan.count:,}", "")]
    if scan.clips:
        facts.append(("clips", f"{scan.clips:,}", ""))
    facts.extend(_shapes(scan.widths, scan.heights))
    facts.append(("pixels", _pixels(scan), ""))
    facts.append(("on disk", words.size(sum(scan.sizes)), ""))
    return facts


def name_of(scan: ScanReport) -> str:
    """The folder's own name."""
    return PurePath(scan.folder).name or scan.folder


def common_ending(paths: Sequence[str]) -> str:
    """'.jpg' where all files end so, else ''."""
    endings = {path[path.rfind(".") :] for path in paths}
    return endings.pop() if len(endings) == 1 and all(ending.startswith(".") for ending in endings) else ""


def caption(path: str, ending: str) -> str:
    """The file's name, without the ending that all have: there is little room below a picture."""
    return path.rsplit("/", 1)[-1].removesuffix(ending)


def image_line(scan: ScanReport, row: int, *, label: str, part: str) -> str:
    """One image in a line: 'cats/01.png · 640 × 480 · color · 120 kB · cats · test'."""
    parts = [
        scan.paths[row],
        f"{scan.widths[row]} × {scan.heights[row]}",
        pixels_in_words(scan.modes[row], scan.planes[row], scan.bits[row]),
        words.size(scan.sizes[row]),
        label,
        part,
    ]
    return " · ".join(text for text in parts if text)


def planes_of(scan: ScanReport) -> int:
    """How many planes most images have, where these are no colors; 0 else."""
    count = scan.usual_planes
    planar = sum(is_planar(mode, planes) for mode, planes in zip(scan.modes, scan.planes))
    return count if planar * 2 > scan.count else 0


def _shapes(widths: Sequence[int], heights: Sequence[int]) -> list[Fact]:
    shapes = Counter(zip(widths, heights, strict=True))
    if len(shapes) == 1:
        width, height = next(iter(shapes))
        return [("size", f"{width} × {height} px", "")]
    by_area = sorted(zip(widths, heights, strict=True), key=lambda shape: shape[0] * shape[1])
    (low_w, low_h), (mid_w, mid_h), (high_w, high_h) = by_area[0], by_area[len(by_area) // 2], by_area[-1]
    return [
        ("typical size", f"{mid_w} × {mid_h} px", ""),
        ("smallest", f"{low_w} × {low_h} px", ""),
        ("largest", f"{high_w} × {high_h} px", ""),
    ]


def _pixels(scan: ScanReport) -> str:
    counts = Counter(map(pixels_in_words, scan.modes, scan.planes, scan.bits)).most_common()
    if len(counts) == 1:
        return counts[0][0]
    shown = ", ".join(f"{name} {count:,}" for name, count in counts[:2])
    return shown if len(counts) == 2 else f"{shown}, …"
