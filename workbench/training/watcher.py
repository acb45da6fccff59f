"""Looking at the representation while it forms: probe, health, verdict, snapshot, all from one embedding."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from workbench.augment.plan import ViewPlan
from workbench.data.prepare import Prepared
from workbench.evaluate.baseline import pixel_features
from workbench.evaluate.clusters import match
from workbench.evaluate.interval import wilson
from workbench.evaluate.knn import knn_predict
from workbench.inspect.embed import embed
from workbench.inspect.health import Pair, health
from workbench.inspect.project import pca
from workbench.inspect.symptoms import Fingerprint
from workbench.inspect.verdict import Look, verdict
from workbench.method.backbone import Encoder
from workbench.runs.events import Clusters, Exam, Health, Probe, Scalars, SnapshotTaken, Verdict, losses_of, read_events
from workbench.runs.folder import RunFolder
from workbench.runs.snapshot import Snapshot, write_snapshot
from workbench.runs.state import fold
from workbench.spec.experiment import WatchSpec
from workbench.training.exam import Examine
from workbench.training.exhibitor import Exhibitor
from workbench.training.journal import Journal, disk_words

_TEST_SHARE = 0.4
_PAIRS = 256

Subject = Literal["encoder", "untrained", "pixels"]
Assign = Callable[[torch.Tensor], torch.Tensor | None]
"""From features to clusters, as `Method.assign`, in eval mode."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The images that are looked at: rows of the pixel store, the same all through a run. labels: -1 unknown."""

    train_rows: NDArray[np.int64]
    test_rows: NDArray[np.int64]
    labels: NDArray[np.int64]

    @property
    def rows(self) -> NDArray[np.int64]:
        """Those of both sides, train first."""
        return np.concatenate([self.train_rows, self.test_rows])

    @property
    def has_labels(self) -> bool:
        """Whether kNN has something to vote with, and something to judge."""
        train, test = self.labels[self.train_rows], self.labels[self.test_rows]
        return len(np.unique(train[train >= 0])) > 1 and bool((test >= 0).any())


def choose_watched(data: Prepared, *, images: int, seed: int) -> Watched:
    """At most `images` of them, two in five from the test side, drawn once by the seed."""
    draw = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 0x5EE])))
    test = min(len(data.test_rows), max(round(images * _TEST_SHARE), images - len(data.train_rows)))
    train = min(len(data.train_rows), images - test)
    return Watched(
        train_rows=np.sort(draw.choice(data.train_rows, train, replace=False)),
        test_rows=np.sort(draw.choice(data.test_rows, test, replace=False)),
        labels=data.labels,
    )


class Watcher:
    """Writes probes, health, verdicts, snapshots and the method's own pictures of one run. `due` says when."""

    def __init__(
        self,
        run: RunFolder,
        journal: Journal,
        *,
        spec: WatchSpec,
        data: Prepared,
        plan: ViewPlan,
        normalization: nn.Module,
        image_size: int,
        device: torch.device,
        seed: int,
        fingerprint: Fingerprint,
        assign: Assign,
        examine: Examine,
        start: str,
        exhibitor: Exhibitor | None,
    ) -> None:
        self._run = run
        self._journal = journal
        self._spec = spec
        self._pixels = data.store.pixels
        self._ids = data.ids
        self._plan = plan
        self._normalization = normalization
        self._image_size = image_size
        self._device = device
        self._seed = seed
        self._fingerprint = fingerprint
        self._assign = assign
        self._examine = examine
        self._start = start
        self._exhibitor = exhibitor
        self._split_rows = data.split_rows
        self._watched = choose_watched(data, images=spec.images, seed=seed)
        self._looks: list[Look] = []
        self._baselines: dict[str, float] = {}
        self.best = -1.0

    def recall(self, epoch: int) -> None:
        """After a resume: what was seen until `epoch`, read from the run's own events."""
        state = fold(read_events(self._run.events_file))
        for probe in state.probes:
            if probe.subject != "encoder":
                self._baselines[probe.subject] = probe.accuracy
            elif probe.epoch <= epoch:
                self.best = max(self.best, probe.accuracy)
        seen: dict[int, Look] = {}
        losses: dict[str, float] = {}
        probes = {probe.epoch: probe for probe in state.probes if probe.subject != "pixels"}
        for event in read_events(self._run.events_file):
            if isinstance(event, Scalars):
                losses = losses_of(event.values) or losses
            elif isinstance(event, Health) and event.epoch <= epoch:
                exams = [exam for exam in state.exams if exam.epoch == event.epoch]
                seen[event.epoch] = self._seen(event, probes.get(event.epoch), exams, losses)
        self._looks = [seen[number] for number in sorted(seen)]

    def due(self, epoch: int, *, last: bool) -> tuple[bool, bool]:
        """Whether to probe, and to take a snapshot, after `epoch` epochs. Both at the start and at the end."""

        def falls(every: int) -> bool:
            return every > 0 and (epoch % every == 0 or last)

        return falls(self._spec.probe_every), falls(self._spec.snapshot_every)

    def look(
        self, encoder: Encoder, epoch: int, *, probe: bool, snapshot: bool, losses: Mapping[str, float]
    ) -> tuple[float, bool]:
        """Looks at the encoder after `epoch` epochs. Returns the seconds it took, and whether kNN is at its best.

        losses: the newest means of the loss and its parts, as the curves have them; none before training.
        """
        since = time.perf_counter()
        rows = self._watched.rows
        better = False
        if len(rows) >= 2 and (probe or snapshot):
            embeddings = embed(
                encoder,
                self._normalization,
                self._pixels,
                image_size=self._image_size,
                device=self._device,
                rows=rows,
            )
            if not np.isfinite(embeddings).all():
                self._journal.tell(_diverged(epoch))
                return time.perf_counter() - since, False
            if probe:
                better = self._probe(encoder, embeddings, epoch, losses)
            if snapshot:
                self._snapshot(embeddings, rows, epoch)
        if snapshot and self._exhibitor is not None:
            self._exhibitor.take(epoch)
        return time.perf_counter() - since, better

    def look_at_pixels(self) -> None:
        """The baseline that needs no network: kNN on the pixels, shrunk and centered as in an evaluation."""
        if not self._watched.has_labels or self._spec.probe_every == 0:
            return
        features = pixel_features(self._pixels, self._watched.rows)
        center = features[: len(self._watched.train_rows)].mean(axis=0)
        self._knn(features - center, 0, "pixels")

    def _probe(
        self, encoder: Encoder, embeddings: NDArray[np.float32], epoch: int, losses: Mapping[str, float]
    ) -> bool:
        figures = health(embeddings, self._pair(encoder, epoch))
        told = Health(
            epoch=epoch, values=figures.values, spectrum=figures.spectrum, dim=figures.dim, images=len(embeddings)
        )
        self._journal.tell(told)
        probe = None
        if self._watched.has_labels:
            probe = self._knn(embeddings, epoch, "encoder" if epoch else "untrained")
        self._clusters(embeddings, epoch)
        look = self._seen(told, probe, self._exams(epoch), losses)
        self._looks = [*(seen for seen in self._looks if seen.epoch < epoch), look]
        if epoch > 0:
            baselines = self._baselines
            self._journal.tell(
                verdict(
                    self._looks,
                    untrained=baselines.get("untrained"),
                    pixels=baselines.get("pixels"),
                    start=self._start,
                )
            )
        better = epoch > 0 and probe is not None and probe.accuracy > self.best
        if better and probe is not None:
            self.best = probe.accuracy
        return better

    def _seen(self, told: Health, probe: Probe | None, exams: Sequence[Exam], losses: Mapping[str, float]) -> Look:
        """What was measured at one look, for the verdict."""
        return Look(
            epoch=told.epoch,
            values=told.values,
            dim=told.dim,
            accuracy=probe.accuracy if probe else None,
            high=probe.high if probe else None,
            loss=losses.get("loss"),
            sign=self._fingerprint.read(losses),
            solved=self._fingerprint.solved(losses, exams),
            guessed=tuple(exam.task for exam in exams if exam.low <= exam.chance),
        )

    def _knn(self, features: NDArray[np.float32], epoch: int, subject: Subject) -> Probe:
        watched = self._watched
        labels = watched.labels[watched.rows]
        known = labels >= 0
        train = known & (np.arange(len(labels)) < len(watched.train_rows))
        test = known & ~train
        predicted = knn_predict(features[train], labels[train], features[test], k=self._spec.neighbors)
        correct, total = int((predicted == labels[test]).sum()), int(test.sum())
        low, high = wilson(correct, total)
        probe = Probe(
            epoch=epoch,
            kind="knn",
            subject=subject,
            accuracy=correct / total,
            low=low,
            high=high,
            images=total,
        )
        self._journal.tell(probe)
        if subject != "encoder":
            self._baselines[subject] = probe.accuracy
        return probe

    def _clusters(self, embeddings: NDArray[np.float32], epoch: int) -> None:
        """All watched images that have a label: none of the labels was learned from."""
        labels = self._watched.labels[self._watched.rows]
        known = labels >= 0
        if not known.any():
            return
        with torch.no_grad():
            clusters = self._assign(torch.from_numpy(embeddings[known]).to(self._device))
        if clusters is None:
            return
        found = match(clusters.cpu().numpy(), labels[known])
        self._journal.tell(
            Clusters(
                epoch=epoch,
                accuracy=found.accuracy,
                nmi=found.nmi,
                ari=found.ari,
                used=found.used,
                images=int(known.sum()),
            )
        )

    def _exams(self, epoch: int) -> tuple[Exam, ...]:
        """The method's own questions about the watched test images."""
        exams = []
        for grade in self._examine(self._watched.test_rows):
            low, high = wilson(grade.right, grade.images)
            exam = Exam(
                epoch=epoch,
                task=grade.task,
                accuracy=grade.right / grade.images,
                low=low,
                high=high,
                chance=grade.chance,
                images=grade.images,
            )
            self._journal.tell(exam)
            exams.append(exam)
        return tuple(exams)

    def _pair(self, encoder: Encoder, epoch: int) -> Pair | None:
        """Two global views of some images, for alignment; None where the plan makes fewer."""
        positions = [position for position, role in enumerate(self._plan.roles) if role == "global"]
        rows = self._watched.test_rows[:_PAIRS] if len(self._watched.test_rows) else self._watched.train_rows[:_PAIRS]
        if len(positions) < 2 or len(rows) < 2:
            return None
        views = self._plan.make(
            torch.from_numpy(np.ascontiguousarray(self._pixels[rows])).to(self._device),
            seed=self._seed,
            epoch=epoch,
            ids=torch.from_numpy(self._ids[rows]),
        )
        first, second = (self._encode(encoder, views[position]) for position in positions[:2])
        return first, second

    @torch.inference_mode()
    def _encode(self, encoder: Encoder, images: torch.Tensor) -> NDArray[np.float32]:
        training = encoder.training
        encoder.eval()
        try:
            features: NDArray[np.float32] = encoder(self._normalization(images)).float().cpu().numpy()
        finally:
            encoder.train(training)
        return features

    def _snapshot(self, embeddings: NDArray[np.float32], rows: NDArray[np.int64], epoch: int) -> None:
        path = self._run.snapshot_file(epoch)
        try:
            self._run.layout_file(epoch, "umap").unlink(missing_ok=True)  # Of a snapshot that this one replaces.
            write_snapshot(
                path, Snapshot(epoch=epoch, embeddings=embeddings, indices=self._split_rows[rows], pca=pca(embeddings))
            )
        except OSError as error:
            raise disk_words(error, self._run) from error
        file = path.relative_to(self._run.path).as_posix()
        self._journal.tell(SnapshotTaken(epoch=epoch, file=file, images=len(rows), dim=embeddings.shape[1]))


def _diverged(epoch: int) -> Verdict:
    return Verdict(
        epoch=epoch,
        level="bad",
        title="Diverged",
        text="The encoder gives values that are not numbers, so there is nothing to measure or to show. "
        "Start again with a lower learning rate, or with train.precision set to float32.",
    )
