"""Running out of memory, in words that help: the batch size that fits, found by trying."""

import gc
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from workbench.method.contract import Progress
from workbench.spec.errors import TrainingError
from workbench.training.feed import Drawn
from workbench.training.step import Stepper


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that the device, or this machine, has no memory left."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


@contextmanager
def memory_in_words(stepper: Stepper, drawn: Drawn, progress: Progress) -> Iterator[None]:
    """Around a step: out of memory becomes a `TrainingError` that names a batch size that fits."""
    try:
        yield
        return
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        traceback.clear_frames(error.__traceback__)  # They hold the tensors that there was no memory for.

    def attempt(size: int) -> None:
        stepper.gradients(stepper.batches(drawn.first(size), progress.epoch), progress)

    stepper.optimizer.zero_grad(set_to_none=True)
    size = len(drawn.ids)
    raise out_of_memory_words(batch_size=size, fits=fitting_batch(attempt, failed=size))


def fitting_batch(attempt: Callable[[int], None], *, failed: int, smallest: int = 2) -> int:
    """The largest half, quarter, … of `failed` with which `attempt` succeeds; 0 where none does.

    `attempt` does one forward and backward pass with that many images. A fault other than memory counts
    as success: a queue that wants its own batch size had memory enough to say so.
    """
    size = failed // 2
    while size >= smallest:
        release()
        try:
            attempt(size)
        except Exception as error:  # noqa: BLE001  # see above
            if is_out_of_memory(error):
                size //= 2
                continue
        return size
    return 0


def release() -> None:
    """Gives back what is cached, so that the next attempt starts with all there is."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def out_of_memory_words(*, batch_size: int, fits: int) -> TrainingError:
    """What happened, and the batch size to take instead."""
    message = f"There is not enough memory for a batch of {batch_size} images."
    if fits:
        return TrainingError(message, hint=f"A batch of {fits} fits: set train.batch_size to {fits}.")
    return TrainingError(message, hint="Take a smaller batch, smaller views, a smaller backbone, or another device.")
