"""The split that a run would have, for a person to see before there is a run."""

import numpy as np

from workbench.engine.messages import Arrays, PlanSplit, SplitReply
from workbench.spec.progress import Report


def plan(request: PlanSplit, report: Report) -> tuple[SplitReply, Arrays]:
    """Labels and sides of every image of the scan. Raises what `data.split.plan_split` raises."""
    from workbench.data.split import plan_split

    report("Splitting", 0, 0)
    table = plan_split(request.scan, request.data, request.seed)
    classes = table.classes()
    number_of = {name: number for number, name in enumerate(classes)}
    row_of = {path: row for row, path in enumerate(request.scan.paths)}
    rows = np.fromiter((row_of[path] for path in table.paths), np.int64, len(table))
    numbers = np.fromiter((number_of.get(name, -1) for name in table.labels), np.int32, len(table))
    tests = np.fromiter((part == "test" for part in table.parts), np.bool_, len(table))
    labels = np.full(request.scan.count, -1, np.int32)
    labels[rows] = numbers
    parts = np.full(request.scan.count, 2, np.uint8)
    parts[rows] = tests
    known = numbers >= 0
    counts = [np.bincount(numbers[known & side], minlength=len(classes)).tolist() for side in (~tests, tests)]
    reply = SplitReply(
        classes=classes,
        train=tuple(counts[0]),
        test=tuple(counts[1]),
        train_images=int((~tests).sum()),
        test_images=int(tests.sum()),
    )
    return reply, {"labels": labels, "parts": parts}
