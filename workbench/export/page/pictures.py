"""The report's pictures: a few images of the run, and the views of them that training saw."""

import base64
import io
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from workbench.augment.pixels import as_levels
from workbench.augment.plan import ViewPlan
from workbench.catalog.registry import Registry
from workbench.data.identity import image_ids
from workbench.data.prepare import readable_images
from workbench.data.shown import SHOWN, as_pictures, of_three
from workbench.export.page.facts import RunFacts
from workbench.export.page.markup import card, escape, paragraph
from workbench.runs.exhibit import ShownPanel, read_exhibit
from workbench.spec.errors import WorkbenchError

_IMAGES = 6
_MOST_VIEWS = 6
_LARGEST = 176
"""Twice the side at which the page shows them."""


def samples(facts: RunFacts, registry: Registry) -> str:
    """Images of different classes, each followed by its views of the first epoch."""
    if facts.table is None:
        return ""
    data = facts.experiment.data
    rows = _rows(facts)
    paths = [facts.table.paths[row] for row in rows]
    try:
        pixels, positions, _ = readable_images(Path(data.folder), paths, data)
        plan = ViewPlan(facts.experiment.views, registry.ops)
    except WorkbenchError as error:
        return card("What the network saw", paragraph(str(error), kind="secondary"))
    if not len(pixels):
        words = f"The images are no longer in {data.folder}, so none can be shown."
        return card("What the network saw", paragraph(words, kind="secondary"))
    kept = [rows[position] for position in positions]
    ids = torch.from_numpy(image_ids([facts.table.paths[row] for row in kept]))
    views = plan.make(torch.from_numpy(pixels), seed=facts.experiment.seed, epoch=0, ids=ids)
    figures = []
    for place, row in enumerate(kept):
        images = [_picture(as_pictures(pixels[place][None])[0], kind="original")]
        for view in views[:_MOST_VIEWS]:
            images.append(_picture(of_three(as_levels(view[place, :SHOWN][None]).numpy())[0]))
        label = facts.table.labels[row]
        caption = f"{facts.table.paths[row]}{f' · {label}' if label else ''}"
        figures.append(
            f'<figure><div class="row">{"".join(images)}</div><figcaption>{escape(caption)}</figcaption></figure>'
        )
    shown = min(len(plan.names), _MOST_VIEWS)
    note = f"the image as stored, then {shown} of its {len(plan.names)} views in the first epoch"
    if pixels.shape[1] > SHOWN:
        note += f"; of {pixels.shape[1]} planes the first three are shown as red, green and blue"
    return card("What the network saw", f'<div class="pictures">{"".join(figures)}</div>', note=note)


def task(facts: RunFacts) -> str:
    """The newest pictures of the method's task: what it was given, asked, and answered."""
    if not facts.state.exhibits:
        return ""
    newest = max(facts.state.exhibits, key=lambda taken: taken.epoch)
    title = "What the network was asked, and its answers"
    try:
        exhibit = read_exhibit(facts.run.path / newest.file)
    except WorkbenchError as error:
        return card(title, paragraph(str(error), kind="secondary"))
    figures = []
    for row, path in enumerate(exhibit.paths):
        images = "".join(_picture(panel.pictures[row]) for panel in exhibit.panels)
        said = [f"{panel.title}: {words}" for panel in exhibit.panels if (words := _said(panel, row))]
        caption = " · ".join([path, *said])
        figures.append(f'<figure><div class="row">{images}</div><figcaption>{escape(caption)}</figcaption></figure>')
    score = f"; {exhibit.score[0]} of {exhibit.score[1]} answers right" if exhibit.score else ""
    columns = ", ".join(f"{panel.title} ({panel.part_in_words})" for panel in exhibit.panels)
    note = f"epoch {exhibit.epoch}, {len(exhibit.paths)} images{score}"
    body = f'{paragraph(f"From left to right: {columns}.", kind="note")}<div class="pictures">{"".join(figures)}</div>'
    return card(title, body, note=note)


def _said(panel: ShownPanel, row: int) -> str:
    words = panel.captions[row] if row < len(panel.captions) else ""
    judged = ("right" if panel.right[row] else "wrong") if row < len(panel.right) else ""
    return ", ".join(part for part in (words, judged) if part)


def _rows(facts: RunFacts) -> list[int]:
    """Training images, of as many classes as there are places."""
    assert facts.table is not None
    training = facts.table.rows("train") or list(range(len(facts.table)))
    by_class: dict[str, int] = {}
    for row in training:
        by_class.setdefault(facts.table.labels[row], row)
    chosen = [by_class[label] for label in sorted(by_class)][:_IMAGES]
    others = [row for row in training if row not in chosen]
    return chosen + others[: _IMAGES - len(chosen)]


def _picture(pixels: NDArray[np.uint8], *, kind: str = "") -> str:
    """(h, w, 3) as an inline PNG."""
    gray = (pixels == pixels[..., :1]).all()
    image = Image.fromarray(np.ascontiguousarray(pixels[..., 0]) if gray else pixels)
    if image.width > _LARGEST:
        image = image.resize((_LARGEST, round(image.height * _LARGEST / image.width)), Image.Resampling.LANCZOS)
    if image.width <= 44:
        kind = f"{kind} pixels".strip()
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    source = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<img class="{kind}" alt="" src="data:image/png;base64,{source}">'
