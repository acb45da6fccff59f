"""On a GPU as on the CPU: views, every method's loss and gradient, a run from its start to its probes.

`WORKBENCH_TEST_GPU=1 pytest tests/gpu` runs them; all other tests keep to the CPU.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from msgspec.structs import replace
from torch import Tensor, nn

from tests.contract import trial
from workbench.augment.plan import ViewPlan
from workbench.data.sample import paint_sample
from workbench.data.scan import scan_folder
from workbench.evaluate.probe import evaluate_run
from workbench.method.contract import Batch, EncodeAll, Method, MethodInfo
from workbench.runs.folder import RunFolder
from workbench.spec.places import bundled
from workbench.spec.presets import load_preset
from workbench.training.suggest import Length, suggest
from workbench.training.trainer import train

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="there is no GPU, or WORKBENCH_TEST_GPU is not set"
)
GPU = torch.device("cuda")
METHODS = sorted(name for name, info in trial.REGISTRY.methods.items() if not info.starts_from_run)


@pytest.fixture(autouse=True)
def full_float32() -> Iterator[None]:
    """Without TF32, whose 10 bits are no float32."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.set_float32_matmul_precision(before[0])
    torch.backends.cudnn.allow_tf32 = before[1]


def there(value: Any, device: torch.device) -> Any:
    """Tensors of a batch on a device."""
    if isinstance(value, Tensor):
        return value.to(device)
    return tuple(there(one, device) for one in value) if isinstance(value, tuple) else value


def encode_on(device: torch.device) -> EncodeAll:
    def encode(network: nn.Module) -> Tensor:
        images = torch.randn(trial.TRAIN_IMAGES, 3, trial.SIZE, trial.SIZE, generator=torch.Generator().manual_seed(77))
        network.eval()
        with torch.no_grad():
            found: Tensor = network(images.to(device))
        network.train()
        return found

    return encode


def step(info: MethodInfo[Any], device: torch.device) -> tuple[float, Tensor]:
    """A loss, and the encoder's gradient, on the CPU."""
    method: Method = trial.build(info).to(device)
    torch.manual_seed(5)
    method.before_epoch(encode_on(device), trial.progress(0))
    batch = trial.make_batch(info)
    batch = Batch(**{name: there(getattr(batch, name), device) for name in batch.__dataclass_fields__})
    torch.manual_seed(5)
    loss = method(batch, trial.progress(0))
    loss.value.backward()
    gradients = [one.grad.flatten().cpu() for one in method.encoder.parameters() if one.grad is not None]
    return loss.value.item(), torch.cat(gradients)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_the_same(name: str) -> None:
    info = trial.REGISTRY.method(name)
    value, gradient = step(info, torch.device("cpu"))
    on_gpu, gradient_on_gpu = step(info, GPU)
    assert on_gpu == pytest.approx(value, rel=1e-3)
    assert (gradient_on_gpu - gradient).norm() <= 0.02 * gradient.norm()


@pytest.mark.parametrize("preset", sorted(path.stem for path in (bundled("resources") / "presets").glob("*.toml")))
def test_views_are_the_same(preset: str) -> None:
    views = load_preset(bundled("resources") / "presets" / f"{preset}.toml").views
    plan = ViewPlan(tuple(replace(view, size=32) for view in views), trial.REGISTRY.ops)
    pixels = torch.randint(0, 256, (16, 3, 48, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    ids = torch.arange(16)
    here = plan.make(pixels, seed=1, epoch=2, ids=ids)
    for view, other in zip(here, plan.make(pixels.to(GPU), seed=1, epoch=2, ids=ids), strict=True):
        assert (view - other.cpu()).abs().mean() < 2e-3


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_a_run_from_its_start_to_its_probes(precision: str, tmp_path: Path) -> None:
    paint_sample(tmp_path / "images", count=200, size=32)
    experiment, _ = suggest(
        scan_folder(tmp_path / "images"),
        method="simclr",
        backbone="tinyconv",
        length=Length(images=600),
        registry=trial.REGISTRY,
    )
    spec = replace(experiment.train, device="cuda", precision=precision, batch_size=32)
    run = RunFolder.create(tmp_path, replace(experiment, train=spec))
    state = train(run)
    assert state.phase == "finished"
    assert state.derived["precision"] == precision
    assert int(state.derived["peak_memory_mb"]) > 0
    result = evaluate_run(run, device=GPU).result("linear")
    on_cpu = evaluate_run(run).result("linear")
    assert result
    assert on_cpu
    assert result.accuracy == pytest.approx(on_cpu.accuracy, abs=0.1)
