"""Views per second and core of the SimCLR chain: ours and kornia in batches; torchvision and lightly one by one."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torchvision.transforms import v2

from workbench.augment.plan import ViewPlan
from workbench.bench.harness import Result, rate, take_turns
from workbench.catalog.registry import load_registry
from workbench.data.prepare import read_images
from workbench.data.sample import paint_sample
from workbench.spec.experiment import DataSpec, OpSpec, ViewSpec
from workbench.spec.progress import Report


def run(*, quick: bool, report: Report) -> list[Result]:
    """32 px without blur, and 224 px with it; one thread each."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [_at(32, blur=False, quick=quick, report=report), _at(224, blur=True, quick=quick, report=report)]
    finally:
        torch.set_num_threads(threads)


def _at(size: int, *, blur: bool, quick: bool, report: Report) -> Result:
    count = 256 if size <= 64 else 32
    pixels = _painted(count, size)
    seconds = 0.5 if quick else 2.0
    contenders: dict[str, Callable[[], float]] = {
        "workbench": lambda: rate(_ours(pixels, size, blur), seconds=seconds),
        "torchvision v2, per image": lambda: rate(_torchvision(pixels, size, blur), seconds=seconds),
    }
    notes: tuple[str, ...] = ("one thread; two views of each image; no decoding and no normalization on any side",)
    try:
        from lightly.transforms.simclr_transform import SimCLRTransform
    except ImportError:
        notes += ("lightly is not installed, so it was not measured",)
    else:
        transform = SimCLRTransform(input_size=size, gaussian_blur=0.5 if blur else 0.0, min_scale=0.08, normalize=None)
        contenders["lightly SimCLRTransform, per image"] = lambda: rate(_lightly(pixels, transform), seconds=seconds)
    try:
        import kornia.augmentation  # noqa: F401  # whether it is there
    except ImportError:
        notes += ("kornia is not installed, so it was not measured",)
    else:
        contenders["kornia, in batches"] = lambda: rate(_kornia(pixels, size, blur), seconds=seconds)
    return Result(
        name="augment",
        title=f"SimCLR chain at {size} px {'with' if blur else 'without'} blur",
        unit="views/s",
        rows=take_turns(contenders, rounds=3 if quick else 7, report=report),
        target="20 times torchvision v2 at 32 px; twice the fastest peer at 224 px",
        notes=notes,
    )


def _painted(count: int, size: int) -> torch.Tensor:
    """Pictures as the sample has them, (n, 3, size, size) uint8: with edges, even parts and some grain."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paint_sample(folder, count=count, size=size)
        paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
        return torch.from_numpy(read_images(folder, paths, DataSpec(folder=name, size=size)))


def _ours(pixels: torch.Tensor, size: int, blur: bool) -> Callable[[], int]:
    chain = [
        OpSpec(op="random_resized_crop", params={"scale": (0.08, 1.0)}),
        OpSpec(op="horizontal_flip", params={"p": 0.5}),
        OpSpec(
            op="color_jitter",
            params={"brightness": 0.8, "contrast": 0.8, "saturation": 0.8, "hue": 0.2, "p": 0.8},
        ),
        OpSpec(op="grayscale", params={"p": 0.2}),
    ]
    if blur:
        chain.append(OpSpec(op="gaussian_blur", params={"p": 0.5}))
    plan = ViewPlan((ViewSpec(count=2, size=size, chain=tuple(chain)),), load_registry().ops)
    ids = torch.arange(len(pixels))
    epoch = iter(range(1_000_000_000))

    def work() -> int:
        views = plan.make(pixels, seed=0, epoch=next(epoch), ids=ids)
        return sum(len(view) for view in views)

    return work


def _torchvision(pixels: torch.Tensor, size: int, blur: bool) -> Callable[[], int]:
    steps: list[torch.nn.Module] = [
        v2.RandomResizedCrop(size, scale=(0.08, 1.0), antialias=True),
        v2.RandomHorizontalFlip(0.5),
        v2.RandomApply([v2.ColorJitter(0.8, 0.8, 0.8, 0.2)], 0.8),
        v2.RandomGrayscale(0.2),
    ]
    if blur:
        kernel = int(0.1 * size) // 2 * 2 + 1
        steps.append(v2.RandomApply([v2.GaussianBlur(kernel, (0.1, 2.0))], 0.5))
    transform = v2.Compose([*steps, v2.ToDtype(torch.float32, scale=True)])

    def work() -> int:
        some = pixels[: max(4, len(pixels) // 8)]
        for image in some:
            transform(image)
            transform(image)
        return 2 * len(some)

    return work


def _kornia(pixels: torch.Tensor, size: int, blur: bool) -> Callable[[], int]:
    from kornia import augmentation as K  # as its own documentation has it

    steps: list[Any] = [
        K.RandomResizedCrop((size, size), scale=(0.08, 1.0), p=1.0),
        K.RandomHorizontalFlip(p=0.5),
        K.ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8),
        K.RandomGrayscale(p=0.2),
    ]
    if blur:
        kernel = int(0.1 * size) // 2 * 2 + 1
        steps.append(K.RandomGaussianBlur((kernel, kernel), (0.1, 2.0), p=0.5))
    transform = K.AugmentationSequential(*steps, data_keys=["input"])

    def work() -> int:
        images = pixels.float().div_(255)
        with torch.no_grad():
            return sum(len(transform(images)) for _ in range(2))

    return work


def _lightly(pixels: torch.Tensor, transform: Callable[[Any], Sequence[object]]) -> Callable[[], int]:
    images = [v2.functional.to_pil_image(image) for image in pixels[: max(4, len(pixels) // 8)]]

    def work() -> int:
        return sum(len(transform(image)) for image in images)

    return work
