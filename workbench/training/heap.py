"""Memory that a step frees is kept for the next one, where the C library would give it back to the system.

Every step takes and frees the same tensors. glibc maps a large one anew each time and unmaps it when it is freed, so
that the system has to clear each of its pages again: a third to a half of the time of a step of a small network.
"""

import ctypes
import platform

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # As <malloc.h> names them: M_TRIM_THRESHOLD and so on.
_NEVER = 2**31 - 1  # bytes, the most that `mallopt` takes.
_AHEAD = 64 * 2**20  # bytes


def keep_freed_memory() -> bool:
    """Keeps what this process frees from now on, until it ends. Returns whether it can: only with glibc.

    It then holds as much memory as it ever needed at once. Meant for a process that trains on the CPU; the values are
    those of the environment variables MALLOC_MMAP_MAX_=0, MALLOC_TRIM_THRESHOLD_ and MALLOC_TOP_PAD_ (mallopt(3)).
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = {_MMAP_MAX: 0, _TRIM_THRESHOLD: _NEVER, _TOP_PAD: _AHEAD}
    done = [mallopt(name, value) for name, value in settings.items()]
    return all(done)
