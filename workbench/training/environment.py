"""What a run says of itself at its start: the machine and the versions, and what was derived from the experiment."""

import importlib.metadata
import os
import platform
import socket
import sys
from collections.abc import Mapping

import torch

from workbench import __version__
from workbench.augment.normalize import Normalization
from workbench.runs.events import Derived
from workbench.spec.experiment import Experiment
from workbench.training.step import Stepper

_VERSIONS = ("torchvision", "timm", "numpy", "h5py")


def derived(experiment: Experiment, stepper: Stepper, *, learning_rate: float, normalization: Normalization) -> Derived:
    """What became of the experiment: device, precision, learning rate, sizes."""
    method = stepper.method
    values: dict[str, str | int | float | bool] = {
        "device": str(stepper.device),
        "precision": stepper.precision,
        "learning_rate": learning_rate,
        "views": ", ".join(stepper.plan.names),
        "mean": ", ".join(f"{value:.4f}" for value in normalization.mean.tolist()),
        "std": ", ".join(f"{value:.4f}" for value in normalization.std.tolist()),
        "encoder_parameters": sum(p.numel() for p in method.encoder.parameters()),
        "parameters": sum(p.numel() for p in method.parameters() if p.requires_grad),
        "exact_resume": stepper.device.type == "cpu" and experiment.train.max_minutes == 0,
    }
    return Derived(values=values)


def environment(device: torch.device) -> Mapping[str, object]:
    """What this run was trained with, for whoever wants to do it again."""
    versions = {name: importlib.metadata.version(name) for name in _VERSIONS} | {"torch": torch.__version__}
    return {
        "workbench": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": socket.gethostname(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": str(device),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "cuda": torch.version.cuda,
        "versions": versions,
        "command": sys.argv,
    }
