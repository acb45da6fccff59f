"""A few steps of any method of the catalog, as the trainer takes them, on noise and a tiny network."""

from functools import cache
from typing import Any

import msgspec
import torch
from torch import Tensor, nn

from workbench.catalog.build import build_encoder
from workbench.catalog.registry import load_registry
from workbench.method.contract import Batch, EncodeAll, Method, MethodInfo, Progress, Setting
from workbench.method.frames import Frames
from workbench.spec.experiment import BackboneSpec
from workbench.spec.params import Params

REGISTRY = load_registry()
BATCH, SIZE, CLASSES, STEPS = 8, 32, 3, 4
TRAIN_IMAGES = 160
EPOCH_STEPS = 2
FRAMES = Frames(
    clip=torch.arange(TRAIN_IMAGES) // 40,
    position=torch.arange(TRAIN_IMAGES) % 40,
    motion=torch.rand(TRAIN_IMAGES, generator=torch.Generator().manual_seed(3)),
)
"""Four clips of 40 frames."""
SLIM: dict[str, float] = {
    "hidden": 48,
    "width": 16,
    "dim": 32,
    "bottleneck": 16,
    "queue": 2 * BATCH,
    "prototypes": 12,
    "permutations": 12,
    "matches": 2,
    "negatives": 32,
    "grid": 4,
    "steps": 2,
    "iterations": 2,
    "queue_from": 0,
    "frozen_epochs": 0,
    "relabelings": 1,
    "self_labeling": 0.5,
    "confidence": 0.3,
    "teacher_temperature": 0.07,
}
"""Widths at which every method does the same in a fraction of the time, and beginnings that fall into it; a warm-up."""
SLIM_OF: dict[str, dict[str, Any]] = {
    "w_mse": {"dim": 3, "slice": 4},
    "moco_v1": {"groups": 2},
    "consistency": {"distance": "contrast"},
    "ibot": {"bottleneck": 64},
}
"""Others where a method asks for more images than entries, or a small batch has no more groups; and where a teacher,
who has seen nothing yet, would sort all of a few images alike among a few directions."""


def slim(info: MethodInfo[Any], **wider: Any) -> Params:
    """The defaults, with small heads; `wider` is what shall be of another width."""
    changes = {
        name: value
        for name, value in {**SLIM, **SLIM_OF.get(info.name, {}), **wider}.items()
        if name in info.params.__struct_fields__
    }
    params: Params = msgspec.structs.replace(info.params(), **changes)
    return params


def setting(*, batch: int = BATCH, channels: int = 3) -> Setting:
    return Setting(
        train_images=TRAIN_IMAGES,
        classes=CLASSES,
        batch_size=batch,
        image_size=SIZE,
        channels=channels,
        frames=FRAMES,
    )


def build(
    info: MethodInfo[Any], params: Params | None = None, *, batch: int = BATCH, channels: int = 3, seed: int = 0
) -> Method:
    torch.manual_seed(seed)
    backbone = "vit_nano" if "tokens" in info.needs else "tinyconv"
    encoder = build_encoder(BackboneSpec(name=backbone), channels=channels, image_size=SIZE, registry=REGISTRY)
    return info.build(encoder, params or slim(info), setting(batch=batch, channels=channels))


def make_batch(
    info: MethodInfo[Any], step: int = 0, *, batch: int = BATCH, channels: int = 3, views: int | None = None
) -> Batch:
    generator = torch.Generator().manual_seed(step)
    content = torch.randn(batch, channels, SIZE, SIZE, generator=generator)
    noise = [torch.randn(content.shape, generator=generator) for _ in range(views or info.global_views)]
    return as_batch(info, [content + 0.3 * one for one in noise], step)


def as_batch(info: MethodInfo[Any], views: list[Tensor], step: int = 0) -> Batch:
    """A batch as the trainer makes it for this method: with small views, labels and corners where it asks for them."""
    count = len(views[0])
    rows = (torch.arange(count) + step * count) % TRAIN_IMAGES
    small = [view[..., : SIZE // 2, : SIZE // 2] for view in views] if info.local_views else []
    left = torch.linspace(0, 0.3, len(views))
    square = torch.tensor([[0.0, 0.0], [0.7, 0.0], [0.7, 0.7], [0.0, 0.7]])
    corners = [(square + one).expand(count, 4, 2) for one in left] if info.uses_corners else []
    return Batch(
        views=tuple(views),
        local_views=tuple(small),
        indices=rows,
        labels=rows % CLASSES if info.uses_labels else None,
        corners=tuple(corners),
        partner_views=tuple(
            tuple(view.roll(1 + other, dims=0) for view in views)
            for other in range(tuple_length(info.name) - 1 if info.uses_tuples else 0)
        ),
    )


@cache
def tuple_length(name: str) -> int:
    """How many images come together for each of a batch."""
    info = REGISTRY.method(name)
    if not info.uses_tuples:
        return 1
    named = begin(info, build(info)).tuples(torch.arange(BATCH), progress(0))
    return 1 if named is None else named.shape[1]


def halved(batch: Batch, rank: int, world: int) -> Batch:
    """What one of `world` processes gets of a batch: every world-th image."""

    def mine(values: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(value[rank::world] for value in values)

    return Batch(
        views=mine(batch.views),
        local_views=mine(batch.local_views),
        indices=batch.indices[rank::world],
        labels=None if batch.labels is None else batch.labels[rank::world],
        corners=mine(batch.corners),
        partner_views=tuple(map(mine, batch.partner_views)),
    )


def every_image(channels: int = 3) -> EncodeAll:
    """All training images, as noise, through a network."""
    images = torch.randn(TRAIN_IMAGES, channels, SIZE, SIZE, generator=torch.Generator().manual_seed(77))

    @torch.no_grad()
    def encode(network: nn.Module) -> Tensor:
        network.eval()
        try:
            found: Tensor = network(images)
        finally:
            network.train()
        return found

    return encode


def begin(info: MethodInfo[Any], method: Method, *, channels: int = 3, step: int = 0) -> Method:
    """As the trainer begins an epoch."""
    method.before_epoch(every_image(channels), progress(step))
    return method


def progress(step: int) -> Progress:
    return Progress(step=step, total_steps=STEPS, epoch=step // EPOCH_STEPS, total_epochs=STEPS // EPOCH_STEPS)


def train(info: MethodInfo[Any], method: Method, steps: range) -> list[float]:
    """The losses of a few plain steps."""
    optimizer = torch.optim.SGD([one for one in method.parameters() if one.requires_grad], lr=0.01)
    losses = []
    for step in steps:
        if step % EPOCH_STEPS == 0:
            begin(info, method, step=step)
        loss = method(make_batch(info, step), progress(step))
        optimizer.zero_grad()
        loss.value.backward()
        method.before_step(progress(step))
        optimizer.step()
        method.after_step(progress(step))
        losses.append(loss.value.item())
    return losses
