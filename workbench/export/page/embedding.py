"""The report's map: one point per image, colored by class."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.export.page.charts import COLORS, point_map
from workbench.export.page.facts import RunFacts
from workbench.export.page.markup import card, escape, paragraph
from workbench.runs.snapshot import read_layout, read_snapshot
from workbench.spec.errors import WorkbenchError

_MOST_POINTS = 6000


def embedding_map(facts: RunFacts) -> str:
    """The newest snapshot: its UMAP where it was computed, its PCA otherwise."""
    if not facts.state.snapshots or facts.table is None:
        return ""
    newest = max(facts.state.snapshots, key=lambda snapshot: snapshot.epoch)
    try:
        snapshot = read_snapshot(facts.run.snapshot_file(newest.epoch), embeddings=False)
    except WorkbenchError as error:
        return card("Embedding map", paragraph(str(error), kind="secondary"))
    layout = read_layout(facts.run.layout_file(newest.epoch, "umap"))
    if layout is not None and len(layout) != len(snapshot.indices):
        layout = None
    positions = snapshot.pca if layout is None else layout
    kind = "PCA" if layout is None else "UMAP"
    finite = np.isfinite(positions).all(axis=1) & (snapshot.indices < len(facts.table))
    places = np.flatnonzero(finite)
    if not len(places):
        return ""
    shown = places[:: -(-len(places) // _MOST_POINTS)]
    labels = [facts.table.labels[row] for row in snapshot.indices[shown]]
    groups, names = _groups(labels)
    note = f"{kind} of epoch {newest.epoch}, {len(shown):,} images"
    if len(shown) < len(places):
        note += f" of {len(places):,}"
    body = point_map(positions[shown], groups) + _legend(names)
    return card("Embedding map", body, note=note, width="wide")


def _groups(labels: Sequence[str]) -> tuple[NDArray[np.int64], list[tuple[int, str]]]:
    """A color per image: the most frequent classes have their own, in the order of their names; the rest is gray."""
    counts = Counter(label for label in labels if label)
    alone = COLORS if len(counts) <= COLORS and "" not in labels else COLORS - 1
    chosen = sorted(label for label, _ in counts.most_common(alone))
    number = {label: place for place, label in enumerate(chosen)}
    rest = COLORS - 1
    names = [(place, f"{label} ({counts[label]:,})") for label, place in number.items()]
    others = len(counts) - len(chosen)
    if others:
        left = sum(count for label, count in counts.items() if label not in number)
        names.append((rest, f"{others:,} other classes ({left:,})"))
    elif "" in labels:
        names.append((rest, f"without a label ({list(labels).count(''):,})"))
    return np.array([number.get(label, rest) for label in labels], dtype=np.int64), names


def _legend(names: Sequence[tuple[int, str]]) -> str:
    entries = "".join(f'<span><i style="background:var(--c{color})"></i>{escape(name)}</span>' for color, name in names)
    return f'<div class="legend">{entries}</div>'
