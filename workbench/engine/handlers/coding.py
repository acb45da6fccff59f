"""Views as code that runs without the program."""

from workbench.engine.handlers import torch_side
from workbench.engine.messages import Arrays, ViewsAsPython, ViewsAsPythonReply
from workbench.spec.experiment import DataSpec
from workbench.spec.pixels import channels_of
from workbench.spec.progress import Report

_OF_THE_SET = (
    "\n# Training also takes the mean and the deviation of its own images out of every view, per channel;\n"
    "# a run's folder and its exports hold these numbers: add them as v2.Normalize(mean=[...], std=[...]).\n"
)


def views_as_python(request: ViewsAsPython, report: Report) -> tuple[ViewsAsPythonReply, Arrays]:
    """Torchvision's words for each chain, with the normalization where its numbers are known before a run."""
    report("writing code", 0, 0)
    registry = torch_side.registry()
    from workbench.augment.python import as_python

    source = as_python(request.views, registry.ops, normalization=_normalization(request.data))
    text = source.text + (_OF_THE_SET if request.data.normalize == "dataset" else "")
    return ViewsAsPythonReply(text=text, missing=source.missing), {}


def _normalization(data: DataSpec) -> tuple[list[float], list[float]] | None:
    """(mean, std) of ImageNet, if these are asked for."""
    if data.normalize != "imagenet":
        return None
    from workbench.augment.normalize import normalization_for

    channels = channels_of(data)
    taken = normalization_for(data, [0.0] * channels, [1.0] * channels)
    return taken.mean.tolist(), taken.std.tolist()
