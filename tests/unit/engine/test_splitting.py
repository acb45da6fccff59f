from workbench.data.split import plan_split
from workbench.engine.handlers import handle
from workbench.engine.messages import PlanSplit, SplitReply
from workbench.spec.dataset import ScanReport
from workbench.spec.experiment import DataSpec
from workbench.spec.progress import ignore


def test_the_split_that_is_shown_is_the_one_that_training_has() -> None:
    paths = tuple(f"{name}/{number:03d}.png" for name in ("cats", "dogs") for number in range(50))
    count = len(paths)
    scan = ScanReport(
        folder="/photos", paths=paths, widths=(32,) * count, heights=(32,) * count, modes=("RGB",) * count,
        sizes=(9,) * count, classes=tuple(path.split("/")[0] for path in paths), parts=("",) * count,
    )  # fmt: skip
    data = DataSpec(folder="/photos", labels="folders", limit=60)
    reply, arrays = handle(PlanSplit(scan=scan, data=data, seed=3), ignore)
    table = plan_split(scan, data, 3)
    assert isinstance(reply, SplitReply)
    assert reply.classes == ("cats", "dogs")
    assert reply.train_images == table.parts.count("train") == sum(reply.train)
    assert reply.test_images == table.parts.count("test") == sum(reply.test)
    sides = dict(zip(table.paths, table.parts, strict=True))
    words = {0: "train", 1: "test", 2: None}
    assert [words[part] for part in arrays["parts"].tolist()] == [sides.get(path) for path in paths]
    labels = [reply.classes[number] if number >= 0 else None for number in arrays["labels"].tolist()]
    assert labels == [path.split("/")[0] if path in sides else None for path in paths]
