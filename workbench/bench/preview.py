"""From a request for 32 views of 224 px to their arrival in the window's process, through the real engine."""

import statistics
import tempfile
import threading
import time
from pathlib import Path

from workbench.bench.harness import Result, Row
from workbench.data.sample import paint_sample
from workbench.engine import protocol
from workbench.engine.client import EngineClient
from workbench.engine.messages import AnyReply, Arrays, Preview
from workbench.spec.errors import EngineError
from workbench.spec.experiment import DataSpec, OpSpec, ViewSpec
from workbench.spec.progress import Report


def run(*, quick: bool, report: Report) -> list[Result]:
    """16 images, two views each, the SimCLR chain with blur; another strength with every request."""
    rounds = 10 if quick else 50
    client = EngineClient()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            paint_sample(folder, count=100, size=224)
            times = []
            for number in range(rounds + 3):
                elapsed = _once(client, folder, strength=0.2 + 0.01 * number)
                if number >= 3:
                    times.append(elapsed)
                report("previews", number, rounds + 2)
    finally:
        client.close()
    times.sort()
    p95 = times[min(len(times) - 1, int(0.95 * len(times)))]
    rows = (
        Row(name="median", median=statistics.median(times), low=times[0], high=times[-1], ratio=1.0),
        Row(name="95th percentile", median=p95, low=times[0], high=times[-1], ratio=p95 / statistics.median(times)),
    )
    return [
        Result(
            name="preview",
            title="Preview of 32 views at 224 px",
            unit="ms",
            rows=rows,
            target="slider to repaint: p95 of 100 ms or less",
            notes=("without the repaint itself",),
        )
    ]


def _once(client: EngineClient, folder: Path, *, strength: float) -> float:
    chain = (
        OpSpec(op="random_resized_crop", params={"scale": (0.2, 1.0)}),
        OpSpec(op="horizontal_flip", params={"p": 0.5}),
        OpSpec(op="color_jitter", params={"brightness": strength, "hue": 0.1}),
        OpSpec(op="gaussian_blur", params={"p": 0.5}),
    )
    request = Preview(
        data=DataSpec(folder=str(folder), size=224),
        views=(ViewSpec(count=2, size=224, chain=chain),),
        paths=tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png")))[:16],
        seed=0,
        epoch=0,
    )
    arrived = threading.Event()
    problems: list[str] = []

    def done(reply: AnyReply, arrays: Arrays) -> None:
        del reply, arrays
        arrived.set()

    def failed(failure: protocol.Failed) -> None:
        problems.append(failure.message)
        arrived.set()

    started = time.perf_counter()
    client.ask(request, done=done, failed=failed)
    if not arrived.wait(timeout=120):
        raise EngineError("The engine did not answer a preview within two minutes.")
    if problems:
        raise EngineError(f"The engine could not make a preview: {problems[0]}")
    return 1000 * (time.perf_counter() - started)
