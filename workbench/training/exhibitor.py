"""Pictures of the method's task and of its answers, of the same images all through a run."""

from functools import cached_property
from typing import Any

import numpy as np
import torch

from workbench.augment.normalize import Normalization
from workbench.data.prepare import Prepared
from workbench.inspect.exhibit import EPOCH, choose_images, indices_of, show_task
from workbench.method.contract import Batch, MethodInfo
from workbench.runs.events import ExhibitTaken, Warned
from workbench.runs.exhibit import Exhibit, write_exhibit
from workbench.runs.folder import RunFolder
from workbench.spec.errors import WorkbenchError, why
from workbench.training.feed import Drawn
from workbench.training.journal import Journal
from workbench.training.step import Stepper


class Exhibitor:
    """Asks the method and writes its pictures. Whatever goes wrong is a warning: the run goes on without them."""

    def __init__(
        self,
        run: RunFolder,
        journal: Journal,
        *,
        info: MethodInfo[Any],
        stepper: Stepper,
        normalization: Normalization,
        data: Prepared,
    ) -> None:
        self._run = run
        self._journal = journal
        self._info = info
        self._stepper = stepper
        self._normalization = normalization
        self._data = data
        rows = data.test_rows if len(data.test_rows) else data.train_rows
        self._rows = choose_images(rows, data.ids, data.labels, seed=stepper.seed)
        self._told: set[str] = set()

    def take(self, epoch: int) -> None:
        """The pictures after `epoch` epochs."""
        path = self._run.exhibit_file(epoch)
        try:
            panels = show_task(self._info, self._stepper.method, self._batch, self._normalization)
            paths = tuple(self._data.table.paths[row] for row in self._rows)
            write_exhibit(path, Exhibit(epoch=epoch, paths=paths, panels=panels))
        except OSError as error:
            self._warn(f"{path} cannot be written: {why(error)}.")
        except (WorkbenchError, torch.OutOfMemoryError) as error:
            self._warn(str(error))
        else:
            file = path.relative_to(self._run.path).as_posix()
            self._journal.tell(ExhibitTaken(epoch=epoch, file=file, images=len(self._rows)))

    @cached_property
    def _batch(self) -> Batch:
        """The views of one epoch, the same for every look."""
        data, rows = self._data, self._rows
        ids = torch.from_numpy(data.ids[rows])
        pixels = torch.from_numpy(np.ascontiguousarray(data.store.pixels[rows]))
        return self._stepper.views(
            Drawn(
                step=0,
                pixels=pixels.to(self._stepper.device),
                ids=ids,
                indices=indices_of(ids, data.planned_train).to(self._stepper.device),
                labels=torch.from_numpy(data.labels[rows]).to(self._stepper.device),
            ),
            EPOCH,
        )

    def _warn(self, words: str) -> None:
        """Once for each reason."""
        if words not in self._told:
            self._told.add(words)
            self._journal.tell(Warned(message=f"No pictures of the task were kept, and training goes on. {words}"))
