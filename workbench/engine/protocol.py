"""Frames on the pipe between the window and the engine.

A frame is: magic (4 bytes), length of the head (u32), length of the body (u64), head, body. The head is
msgpack; the body is the raw bytes of its arrays, one after another. Both sides copy arrays once: 5 MB
(32 views of 224 px) cost about 5 ms, and nothing is left behind when either side dies, which shared
memory could not promise.
"""

import contextlib
import struct
import sys
from collections.abc import Sequence
from typing import IO, Any, Literal

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from workbench.engine.messages import AnyReply, AnyRequest, Arrays
from workbench.spec.errors import EngineError

_MAGIC = b"PWB1"
_PREFIX = struct.Struct("<4sIQ")
_LARGEST = 8 * 1024**3
_PIPE_BYTES = 1024**2


class Ask(Struct, frozen=True, kw_only=True, tag_field="kind", tag="ask"):
    """Window to engine: a request. A newer one of the same (non-empty) topic replaces an unanswered one."""

    id: int
    topic: str
    request: AnyRequest


class Cancel(Struct, frozen=True, kw_only=True, tag_field="kind", tag="cancel"):
    """Window to engine: the answer to `id` is not wanted any more."""

    id: int


class ArrayHead(Struct, frozen=True, kw_only=True):
    """One array in a frame's body."""

    name: str
    dtype: str
    shape: tuple[int, ...]


class Answer(Struct, frozen=True, kw_only=True, tag_field="kind", tag="answer"):
    """Engine to window: the reply to `id`."""

    id: int
    reply: AnyReply
    arrays: tuple[ArrayHead, ...] = ()


class Progressed(Struct, frozen=True, kw_only=True, tag_field="kind", tag="progress"):
    """Engine to window: how far the work on `id` is; total 0 means unknown."""

    id: int
    what: str
    done: int
    total: int


class Failed(Struct, frozen=True, kw_only=True, tag_field="kind", tag="failed"):
    """Engine to window: why `id` has no answer. `reason` 'dropped' and 'cancelled' are no errors."""

    id: int
    reason: Literal["error", "cancelled", "dropped"]
    message: str = ""
    hint: str = ""
    details: str = ""


class Hello(Struct, frozen=True, kw_only=True, tag_field="kind", tag="hello"):
    """Engine to window: the engine is up."""

    pid: int
    version: str


ToEngine = Ask | Cancel
ToWindow = Answer | Progressed | Failed | Hello


def widen(pipe: IO[bytes]) -> None:
    """Lets a pipe hold more where that can be chosen (Linux): a preview passes in 5 turns of both sides, not in 75."""
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):  # A user may have so much in pipes, and no more.
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def write_frame(file: IO[bytes], head: Any, arrays: Sequence[NDArray[np.generic]] = ()) -> None:
    """Writes one frame and flushes it. Raises `EngineError` where a text in it cannot be sent; then nothing is."""
    try:
        packed = msgspec.msgpack.encode(head)
    except UnicodeEncodeError as error:
        raise EngineError(
            f"{error.object[error.start : error.end]!r} in a name is not valid text.",
            hint="Rename the file or the folder that has it in its name.",
        ) from error
    blocks = [np.ascontiguousarray(array) for array in arrays]
    file.write(_PREFIX.pack(_MAGIC, len(packed), sum(block.nbytes for block in blocks)) + packed)
    for block in blocks:
        if block.nbytes:
            file.write(block.reshape(-1).view(np.uint8).data)
    file.flush()


def read_frame(file: IO[bytes]) -> tuple[bytes, memoryview] | None:
    """The head's bytes and the body of the next frame, or None at the end. Raises `EngineError` on garbage."""
    prefix = _read_exactly(file, _PREFIX.size)
    if prefix is None:
        return None
    magic, head_size, body_size = _PREFIX.unpack(prefix)
    if magic != _MAGIC or body_size > _LARGEST:
        raise EngineError("The engine's pipe carried something that is not a message.")
    head = _read_exactly(file, head_size)
    body = _read_exactly(file, body_size)
    if head is None or body is None:
        return None
    return bytes(head), body


def answer(number: int, reply: AnyReply, arrays: Arrays) -> tuple[Answer, list[NDArray[np.generic]]]:
    """An answer's head, and its arrays in the head's order."""
    heads = tuple(
        ArrayHead(name=name, dtype=array.dtype.str, shape=tuple(array.shape)) for name, array in arrays.items()
    )
    return Answer(id=number, reply=reply, arrays=heads), list(arrays.values())


def unpack_arrays(heads: Sequence[ArrayHead], body: memoryview) -> Arrays:
    """The arrays of an answer; they share the body's memory."""
    arrays: Arrays = {}
    offset = 0
    for head in heads:
        dtype = np.dtype(head.dtype)
        count = int(np.prod(head.shape, dtype=np.int64))
        arrays[head.name] = np.frombuffer(body, dtype, count, offset).reshape(head.shape)
        offset += count * dtype.itemsize
    return arrays


def _read_exactly(file: IO[bytes], size: int) -> memoryview | None:
    block = np.empty(size, np.uint8).data  # Not a bytearray, which would be written twice: with zeros first.
    filled = 0
    while filled < size:
        count = file.readinto(block[filled:])  # type: ignore[attr-defined]
        if not count:
            return None
        filled += count
    return block
