"""Weights from a library's hub: the one place where building a network may need the internet."""

from collections.abc import Iterator
from contextlib import contextmanager

from workbench.spec.errors import WorkbenchError


@contextmanager
def fetching(library: str, model: str) -> Iterator[None]:
    """Turns whatever the library raises while it fetches weights into a sentence."""
    try:
        yield
    except WorkbenchError:
        raise
    except Exception as error:  # the hubs' clients raise anything from URLError to their own classes.
        reason = str(error).strip().splitlines()
        raise WorkbenchError(
            f"The pretrained weights of {model} cannot be had from {library}: "
            f"{reason[0] if reason else type(error).__name__}.",
            hint="Check the connection, or set backbone.weights to 'none'.",
        ) from error
