import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import numpy as np
import pytest

from workbench.evaluate.probe import evaluate_run
from workbench.export.page.charts import Axis, Series, line_chart, smoothed, thinned, ticks
from workbench.export.page.embedding import _groups
from workbench.export.page.facts import _history
from workbench.export.page.markup import duration, number
from workbench.export.report import make_report
from workbench.runs.audit import Audit, FactorResult, LadderResult, Rung, Subject, save_audit
from workbench.runs.events import Clusters, EventLog, Exam, Failure, Scalars, Started, Warned
from workbench.runs.folder import RunFolder, write_whole
from workbench.runs.results import Evaluation, ExportRecord, ProbeResult, save_evaluation, save_exports
from workbench.runs.snapshot import read_snapshot, write_layout
from workbench.runs.split import read_split, write_split
from workbench.spec import toml
from workbench.spec.errors import ExportError
from workbench.spec.experiment import DataSpec, Experiment

VOID = {"meta", "img", "line", "circle", "path", "polyline", "br"}
EVIL = "<script>alert(1)</script>\"'&"


class Page(HTMLParser):
    """Reads a page strictly: every element that opens is closed in its place."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page_of(run: RunFolder) -> Page:
    file = make_report(run)
    assert file == run.report_file
    text = file.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.findall(r"[\"'(]//", re.sub(r'src="data:[^"]*"', "", text))
    assert "url(" not in text
    assert "@import" not in text
    page = Page(text)
    assert not {"script", "link", "iframe", "object", "embed", "form"} & set(page.tags)
    assert all(link.startswith("data:image/png;base64,") for link in page.links)
    return page


def test_a_finished_run_is_told_in_full(run: RunFolder) -> None:
    evaluate_run(run)
    save_exports(
        run,
        (
            ExportRecord(
                format="onnx", file="/x/encoder.onnx", size=2_500_000, difference=3e-6, tolerance=1e-4, verified=True
            ),
            ExportRecord(format="csv", file="", problem="No space left"),
        ),
    )
    page = page_of(run)
    for words in (
        "A small <b>test</b> & more",
        "SimCLR, TinyConv",
        "At a glance",
        "Loss",
        "kNN accuracy",
        "raw pixels",
        "Embedding map",
        "PCA of epoch 2",
        "RankMe",
        "Singular spectrum",
        "95 % interval",
        "The encoder was frozen",
        "Confusions",
        "What the network saw",
        "encoder.onnx",
        "2.5 MB",
        "verified",
        "No space left",
        'op = "random_resized_crop"',
        "Environment",
    ):
        assert words in page.text
    assert page.tags.count("img") == 6 * 3
    assert page.tags.count("svg") >= 4 + 6


def audited(subject: Subject, *, hue: float, title: str = "Hue", color: float = 0.4) -> Audit:
    def rungs(*cosines: float) -> tuple[Rung, ...]:
        return tuple(
            Rung(label=f"step {number}", cosine=cosine, low=cosine - 0.1, high=cosine + 0.05, raw=0.99)
            for number, cosine in enumerate(cosines)
        )

    ladders = (
        LadderResult(key="flip/flip", title="Flip", group="geometry", rungs=rungs(-0.21)),
        LadderResult(key="jitter/hue", title=title, group="color", rungs=rungs(0.99, 0.98, 0.97, hue)),
    )
    factor = FactorResult(
        column=title.lower(),
        classes=8,
        test_images=90,
        accuracy=color,
        low=color - 0.1,
        high=color + 0.1,
        guessing=0.14,
    )
    return Audit(
        subject=subject, epoch=2, images=64, image_size=32, between=0.9, ladders=ladders, factors=(factor,),
        skipped=("Grayscale",), encoder_hash="0" * 64, frozen=True, time=1.0,
    )  # fmt: skip


def test_an_audit_on_record_is_shown_with_its_factors(run: RunFolder) -> None:
    assert "blind" not in page_of(run).text
    save_audit(run, audited("trained", hue=0.961, title=EVIL))
    page = page_of(run)
    for words in (
        "What the encoder is blind to",
        "epoch 2, 64 test images of 32 px",
        "0.99 0.98 0.97 0.96",
        "−0.21",
        "Left out, since they change nothing on these images: Grayscale.",
        "Factors that can be read",
        "40.0 %",
    ):
        assert words in page.text
    assert page.text.index("0.96") < page.text.index("−0.21"), "the blindest first"
    assert page.text.count("<script>alert(1)</script>") >= 3
    assert "untrained 0." not in page.text


def test_the_audit_of_the_untrained_encoder_stands_beside(run: RunFolder) -> None:
    save_audit(run, audited("untrained", hue=0.1, color=0.9))
    assert "Blind to" not in page_of(run).text
    save_audit(run, audited("trained", hue=0.95))
    text = page_of(run).text
    assert "This encoder sees less than untrained of hue (0.95 against 0.10)." in text
    assert "0.99 0.98 0.97 0.95 0.99 0.98 0.97 0.10" in text
    assert "The second line of each is untrained." in text
    assert "90.0 %" in text


def test_clusters_are_told_against_the_labels(run: RunFolder) -> None:
    assert "Clusters against labels" not in page_of(run).text
    with EventLog(run.events_file) as log:
        log.append(Clusters(epoch=0, accuracy=0.2, nmi=0.1, ari=0.0, used=2, images=60))
        log.append(Clusters(epoch=2, accuracy=0.815, nmi=0.7, ari=0.6, used=4, images=60))
    text = page_of(run).text
    for words in ("Clusters against labels", "clustering accuracy", "81.5 %", "adjusted Rand index", "60 images"):
        assert words in text


def test_answers_to_its_own_questions_are_told_with_their_interval(run: RunFolder) -> None:
    assert "Its own task" not in page_of(run).text
    with EventLog(run.events_file) as log:
        log.append(Exam(epoch=0, task="rotation", accuracy=0.26, low=0.2, high=0.3, chance=0.25, images=60))
        log.append(Exam(epoch=2, task="rotation", accuracy=0.815, low=0.7, high=0.89, chance=0.25, images=60))
    text = page_of(run).text
    for words in ("Its own task", "rotation, right", "26.0 %", "81.5 %", "70.0 % to 89.0 %", "by chance 25.0 %"):
        assert words in text


def test_the_umap_is_shown_where_it_was_computed(run: RunFolder) -> None:
    snapshot = read_snapshot(run.snapshot_file(2))
    write_layout(run.layout_file(2, "umap"), snapshot.pca[::-1] * 2, snapshot.indices)
    assert "UMAP of epoch 2" in page_of(run).text
    write_layout(run.layout_file(2, "umap"), snapshot.pca[:3], snapshot.indices[:3])
    assert "PCA of epoch 2" in page_of(run).text


def test_what_people_and_files_named_stays_text(run: RunFolder) -> None:
    experiment = msgspec.structs.replace(run.experiment(), name=EVIL)
    write_whole(run.experiment_file, toml.dumps(experiment).encode())
    table = read_split(run.split_file)
    labels = tuple(f"{label}{EVIL}" for label in table.labels)
    write_split(run.split_file, replace(table, labels=labels, factors={EVIL: table.labels}))
    evaluate_run(run, probes=("knn",))
    evaluate_run(run, probes=("knn",), column=EVIL)
    with EventLog(run.events_file) as log:
        log.append(Warned(message=EVIL))
        log.append(Failure(message=EVIL, hint=EVIL))
    save_exports(run, (ExportRecord(format=EVIL, file=EVIL, problem=EVIL),))
    page = page_of(run)
    assert page.text.count("<script>alert(1)</script>") >= 8


@pytest.mark.parametrize("labels", ["none", "many"])
def test_runs_without_labels_and_with_many_classes(run: RunFolder, labels: str) -> None:
    table = read_split(run.split_file)
    named = tuple("" if labels == "none" else f"class {row % 25:02d}" for row in range(len(table)))
    write_split(run.split_file, replace(table, labels=named))
    if labels == "many":
        confusion = tuple(tuple(2 if row == column + 1 else 0 for column in range(25)) for row in range(25))
        result = ProbeResult(kind="knn", subject="encoder", accuracy=0.0, low=0.0, high=0.1, confusion=confusion)
        names = tuple(sorted(set(named)))
        save_evaluation(
            run,
            Evaluation(
                epoch=2,
                column="label",
                classes=names,
                train_images=30,
                test_images=30,
                results=(result,),
                encoder_hash="0" * 64,
                frozen=False,
                time=0.0,
            ),
        )
    text = page_of(run).text
    if labels == "many":
        assert "Most frequent confusions" in text
        assert "CHANGED" in text
        assert "16 other classes" in text
    else:
        assert "without a label (50)" in text


def test_a_run_that_has_only_been_made_has_a_report(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Experiment(name="new", data=DataSpec(folder=str(tmp_path))))
    text = page_of(run).text
    assert "No verdict yet" in text
    assert "No step has been trained yet" in text
    assert "Nothing has been measured yet" in text


def test_images_that_are_gone_are_said_to_be(run: RunFolder, tmp_path: Path) -> None:
    experiment = run.experiment()
    gone = msgspec.structs.replace(experiment.data, folder=str(tmp_path / "gone"))
    write_whole(run.experiment_file, toml.dumps(msgspec.structs.replace(experiment, data=gone)).encode())
    assert "no longer in" in page_of(run).text


def test_where_it_is_written(run: RunFolder, tmp_path: Path) -> None:
    assert make_report(run, tmp_path / "new" / "page.html").is_file()
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="cannot be written"):
        make_report(run, tmp_path / "file" / "page.html")


def test_what_a_resumed_trainer_did_again_is_drawn_once() -> None:
    def losses(*steps: int) -> list[Scalars]:
        return [Scalars(step=step, epoch=step / 10, values={"loss": float(step)}) for step in steps]

    again = Started(pid=1, host="h", device="cpu", epoch=1, step=10)
    history = _history([Started(pid=1, host="h", device="cpu"), *losses(5, 10, 15), again, *losses(15, 20)])
    assert history.curve("loss") == [(0.5, 5.0), (1.0, 10.0), (1.5, 15.0), (2.0, 20.0)]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 10.0, [0, 2, 4, 6, 8, 10]),
        (0.13, 0.27, [0.15, 0.2, 0.25]),
        (-1.0, 1.0, [-1, -0.5, 0, 0.5, 1]),
        (3.0, 3.0, [3.0]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_charts_leave_out_what_cannot_be_drawn() -> None:
    points = [(0.0, 1.0), (1.0, float("nan")), (2.0, float("inf")), (3.0, 0.0), (4.0, 10.0)]
    chart = line_chart([Series(points=points, label="<x>")], x=Axis(), y=Axis(scale="log"))
    polyline = re.search(r'points="([^"]*)"', chart)
    assert polyline is not None
    assert len(polyline.group(1).split()) == 2
    assert "&lt;x&gt;" in chart
    assert line_chart([Series(points=[(0.0, float("nan"))])], x=Axis(), y=Axis()) == ""
    assert "nan" not in line_chart([Series(points=[(1.0, 2.0)])], x=Axis(), y=Axis())


def test_labels_at_the_ends_do_not_lie_on_each_other() -> None:
    series = [Series(points=[(0.0, 0.5), (1.0, 0.5 + offset)], label=str(offset)) for offset in (0, 1e-4, 2e-4, 5e-4)]
    chart = line_chart(series, x=Axis(), y=Axis(low=0.0, high=1.0))
    heights = sorted(float(y) for y in re.findall(r'class="label" x="[\d.]+" y="([\d.]+)"', chart))
    assert len(heights) == 4
    assert min(np.diff(heights)) >= 14.9


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    points = [(float(step), np.sin(step / 1000)) for step in range(50_000)]
    few = thinned(points)
    assert len(few) == 600
    assert (few[0], few[-1]) == (points[0], points[-1])
    assert thinned(points[:10]) == points[:10]
    assert [value for _, value in smoothed([(0.0, 3.0), (1.0, 3.0)])] == pytest.approx([3.0, 3.0])


def test_colors_of_classes() -> None:
    groups, names = _groups(["b", "a", "b", ""])
    assert groups.tolist() == [1, 0, 1, 9]
    assert [name for _, name in names] == ["a (1)", "b (2)", "without a label (1)"]
    _, ten = _groups([str(place) for place in range(10)])
    assert [color for color, _ in ten] == list(range(10))


def test_numbers_as_people_read_them() -> None:
    assert [number(value) for value in (0.0, 0.05432, -1.449, 74.9, 12_345.6, 1.2e-7)] == [
        "0",
        "0.05432",
        "−1.449",
        "74.9",
        "12,346",
        "1.20e−07",
    ]
    assert [duration(value) for value in (5, 600, 9000)] == ["5 s", "10 min", "2 h 30 min"]
