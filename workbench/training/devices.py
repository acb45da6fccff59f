"""What this machine can train on, and in which number format."""

import platform
import sys
from pathlib import Path
from typing import Literal

import psutil
import torch

from workbench.spec.errors import UsageError
from workbench.spec.machine import Device

Precision = Literal["float32", "bfloat16", "float16"]

_DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def list_devices() -> tuple[Device, ...]:
    """Every device, best first: GPUs by their memory, Apple's, then the CPU."""
    found = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(index)
            found.append(Device(name=f"cuda:{index}", title=properties.name, memory=properties.total_memory))
        found.sort(key=lambda device: -device.memory)
    if torch.backends.mps.is_available():
        found.append(Device(name="mps", title="Apple GPU", memory=torch.mps.recommended_max_memory()))
    threads = torch.get_num_threads()
    title = f"{platform.processor() or platform.machine()}, {threads} thread{'s' if threads != 1 else ''}"
    found.append(Device(name="cpu", title=f"CPU ({title})", memory=psutil.virtual_memory().total))
    return tuple(found)


def resolve_device(text: str) -> torch.device:
    """The device that 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps' means here. Raises `UsageError`."""
    devices = {device.name for device in list_devices()}
    if text == "auto":
        return torch.device(list_devices()[0].name)
    name = "cuda:0" if text == "cuda" else text
    if name in devices:
        return torch.device(name)
    if not _is_device_name(text):
        raise UsageError(f"'{text}' is not a device.", hint="A device is auto, cpu, cuda, cuda:1 or mps.")
    raise UsageError(
        f"There is no device '{text}' on this machine.",
        hint=f"Here are: {', '.join(sorted(devices))}; 'auto' takes the best. {_why_missing(text)}".rstrip(),
    )


def resolve_precision(asked: str, device: torch.device) -> Precision:
    """The number format of the forward pass. Raises `UsageError` where the device does not have it."""
    if asked == "auto":
        return "bfloat16" if device.type == "cuda" and _has_bfloat16() else "float32"
    if asked == "float16" and device.type == "cpu":
        raise UsageError("float16 needs a GPU.", hint="On the CPU use float32 (train.precision=auto).")
    if asked == "bfloat16" and device.type == "cuda" and not _has_bfloat16():
        raise UsageError("This GPU has no bfloat16.", hint="Use float16 or auto.")
    if asked == "float32" or asked in _DTYPES:
        return asked  # type: ignore[return-value]  # one of the three
    raise UsageError(f"'{asked}' is not a precision.", hint="It is auto, float32, bfloat16 or float16.")


def _has_bfloat16() -> bool:
    """In hardware: torch emulates it on older GPUs, several times slower than float32."""
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """The context of the forward pass; it does nothing for float32."""
    return torch.autocast(device.type, dtype=_DTYPES.get(precision), enabled=precision != "float32")


def memory_in_use(device: torch.device) -> int:
    """Bytes that training holds: of the GPU where there is one, of the process on the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    if device.type == "mps":
        return torch.mps.driver_allocated_memory()
    return int(psutil.Process().memory_info().rss)


def peak_memory(device: torch.device) -> int:
    """The most bytes that were held at once: on the GPU where there is one, by this process on the CPU."""
    return memory_in_use(device) if device.type in ("cuda", "mps") else _peak_of_process()


def _peak_of_process() -> int:
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    if sys.platform == "linux":
        # Not getrusage: what it says holds the memory of the process that started this one.
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name == "VmHWM":
                return int(value.split()[0]) * 1024
        return int(psutil.Process().memory_info().rss)
    import resource  # Only Unix has it.

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def device_load(device: torch.device) -> float | None:
    """Share of the device that is busy, from 0 to 1: of all cores since the last call on the CPU, of the GPU now.

    None where the machine cannot tell: on Apple's GPU, and on NVIDIA's without the package nvidia-ml-py.
    """
    if device.type == "cpu":
        return float(psutil.cpu_percent()) / 100
    if device.type == "cuda":
        try:
            return torch.cuda.utilization(device) / 100
        except (ModuleNotFoundError, RuntimeError):
            return None
    return None


def memory_total(device: torch.device) -> int:
    """Bytes that the device has."""
    index = device.index or 0
    for known in list_devices():
        if known.name in (device.type, f"{device.type}:{index}"):
            return known.memory
    return 0


def _is_device_name(text: str) -> bool:
    kind, separator, index = text.partition(":")
    return kind in ("cpu", "cuda", "mps") and (not separator or index.isdigit())


def _why_missing(text: str) -> str:
    if text.startswith("cuda") and torch.version.cuda is None:
        return "The installed torch was built without CUDA."
    return ""
