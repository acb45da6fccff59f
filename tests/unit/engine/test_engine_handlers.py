"""Every request, answered in this process."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image

from workbench.augment.plan import ViewPlan
from workbench.catalog.registry import load_registry
from workbench.data.identity import image_ids
from workbench.data.prepare import read_images
from workbench.engine import messages, protocol
from workbench.engine.handlers import HANDLERS, describing, handle, previewing
from workbench.engine.messages import (
    CatalogReply,
    CheckReply,
    CheckViews,
    CheckViewsReply,
    CompareMasks,
    CompareMasksReply,
    EvaluateReply,
    ExportReply,
    GetCatalog,
    GetMachine,
    LookInside,
    LookInsideReply,
    MachineReply,
    MeasureReply,
    Preview,
    PreviewReply,
    Project,
    ProjectReply,
    ReportReply,
    Scan,
    ScanReply,
    Suggest,
    SuggestReply,
    Thumbnails,
    ViewsAsPython,
    ViewsAsPythonReply,
)
from workbench.engine.panels import received
from workbench.inspect.project import pca
from workbench.runs.folder import RunFolder
from workbench.runs.masks import load_comparison
from workbench.runs.results import load_evaluations, load_exports
from workbench.runs.snapshot import read_layout, read_snapshot
from workbench.runs.split import read_split
from workbench.spec.errors import Cancelled, DataError, NotFoundError, SpecError, UsageError
from workbench.spec.experiment import DataSpec, OpSpec, TaskSpec, ViewSpec
from workbench.spec.progress import Report, ignore

Rows = NDArray[np.float32]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    for number in range(6):
        values = generator.integers(0, 256, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(values).save(folder / f"{number}.png")
    (folder / "broken.png").write_bytes(b"not an image")
    return folder


VIEWS = (
    ViewSpec(
        name="global",
        count=2,
        size=24,
        chain=(OpSpec(op="random_resized_crop"), OpSpec(op="horizontal_flip"), OpSpec(op="solarize")),
    ),
    ViewSpec(name="local", role="local", count=1, size=16, chain=(OpSpec(op="random_resized_crop"),)),
)


def preview_of(folder: Path, *, channels: str = "rgb", steps_of: int = -1, seed: int = 3) -> Preview:
    data = msgspec.convert({"folder": str(folder), "size": 32, "channels": channels}, DataSpec)
    paths = ("4.png", "0.png", "2.png")
    return Preview(data=data, views=VIEWS, paths=paths, seed=seed, epoch=7, steps_of=steps_of)


def test_every_request_has_an_answer_and_a_lane() -> None:
    requests = set(messages.AnyRequest.__args__)
    assert set(HANDLERS) == requests
    assert set(messages.LANES) <= requests


def test_scan_and_thumbnails(images: Path) -> None:
    reply, _ = handle(Scan(folder=str(images)), ignore)
    assert isinstance(reply, ScanReply)
    assert reply.report.count == 6
    assert [one.path for one in reply.report.broken] == ["broken.png"]
    _, arrays = handle(Thumbnails(folder=str(images), paths=("1.png", "broken.png"), size=20), ignore)
    assert arrays["pixels"].shape == (2, 20, 20, 4)
    assert arrays["pixels"][0].any()
    assert not arrays["pixels"][1].any()


def test_the_catalog_is_kept_until_a_plugin_changes(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = handle(GetCatalog(), ignore)
    assert isinstance(first, CatalogReply)
    assert first.catalog.method("simclr").params
    assert len(list((places / "cache" / "catalog").glob("*.msgpack"))) == 1
    with monkeypatch.context() as patch:
        patch.setattr("workbench.engine.handlers.torch_side.registry", lambda: pytest.fail("the cache was not used"))
        again, _ = handle(GetCatalog(), ignore)
    # Pairs come as lists from a file, as they do through the pipe.
    sent = msgspec.msgpack.decode(msgspec.msgpack.encode(first), type=CatalogReply)
    assert msgspec.msgpack.encode(again) == msgspec.msgpack.encode(sent)
    before = describing._fingerprint()
    added = places / "plugins" / "ops"
    added.mkdir(parents=True)
    (added / "mine.py").write_text("OP = 1", encoding="utf-8")
    monkeypatch.setenv("WORKBENCH_PLUGINS", str(places / "plugins"))
    assert describing._fingerprint() != before


def test_the_machine_has_devices_and_versions() -> None:
    reply, _ = handle(GetMachine(), ignore)
    assert isinstance(reply, MachineReply)
    assert "cpu" in [device.name for device in reply.devices]
    assert reply.versions["torch"].startswith(torch.__version__.split("+")[0])


@pytest.mark.parametrize("channels", ["rgb", "gray"])
def test_a_preview_shows_what_training_feeds(images: Path, channels: str) -> None:
    request = preview_of(images, channels=channels, steps_of=1)
    reply, arrays = handle(request, ignore)
    assert isinstance(reply, PreviewReply)
    assert reply.names == ("global 1", "global 2", "local")
    pixels = read_images(images, request.paths, request.data)
    np.testing.assert_array_equal(arrays["originals"][:, :, :, 0], pixels[:, 0])
    plan = ViewPlan(VIEWS, load_registry().ops)
    fed = plan.make(torch.from_numpy(pixels), seed=3, epoch=7, ids=torch.from_numpy(image_ids(request.paths)))
    for number, view in enumerate(fed):
        shown = arrays[f"view-{number}"]
        assert shown.dtype == np.uint8
        assert shown.shape == (3, VIEWS[number // 2].size, VIEWS[number // 2].size, 3)
        exact = np.moveaxis(view.numpy(), 1, -1) * 255
        assert np.abs(shown - exact).max() <= 0.5 + 1e-3
    assert [len(view) for view in reply.drawn] == [3, 3, 3]
    assert [op.op for op in reply.drawn[0][0].ops] == ["random_resized_crop", "horizontal_flip", "solarize"]
    assert len(reply.drawn[0][0].corners) == 4
    assert [op.op for op in reply.steps] == ["random_resized_crop", "horizontal_flip", "solarize"]
    np.testing.assert_array_equal(arrays["step-2"], arrays["view-0"][1])
    head, _ = protocol.answer(1, reply, arrays)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(head), type=protocol.ToWindow) == head


def test_a_preview_decodes_each_image_once(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previewing, "_IMAGES", previewing.DecodedImages())
    first, arrays = handle(preview_of(images), ignore)
    monkeypatch.setattr("workbench.data.prepare.read_images", lambda *told: pytest.fail("decoded again"))
    again, same = handle(preview_of(images, seed=4), ignore)
    np.testing.assert_array_equal(same["originals"], arrays["originals"])
    assert first != again


def test_the_memory_for_decoded_images_is_bounded(images: Path) -> None:
    kept = previewing.DecodedImages(largest=2 * 3 * 32 * 32)
    request = preview_of(images)
    pixels = kept.read(request.data, request.paths)
    np.testing.assert_array_equal(pixels, read_images(images, request.paths, request.data))
    assert kept._held <= 2 * 3 * 32 * 32
    np.testing.assert_array_equal(kept.read(request.data, request.paths), pixels)


def test_previews_that_make_no_sense_are_refused_in_words(images: Path) -> None:
    request = preview_of(images)
    with pytest.raises(UsageError, match="at least one image"):
        handle(msgspec.structs.replace(request, paths=()), ignore)
    with pytest.raises(UsageError, match="no image 3"):
        handle(msgspec.structs.replace(request, steps_of=3), ignore)
    with pytest.raises(DataError, match=r"broken\.png"):
        handle(msgspec.structs.replace(request, paths=("broken.png",)), ignore)
    odd = replace_op(VIEWS[0])
    with pytest.raises(NotFoundError, match="solarize"):
        handle(msgspec.structs.replace(request, views=(odd,)), ignore)


def replace_op(view: ViewSpec) -> ViewSpec:
    return msgspec.structs.replace(view, chain=(OpSpec(op="solarise"),))


def test_planning_an_experiment(images: Path) -> None:
    scanned, _ = handle(Scan(folder=str(images)), ignore)
    assert isinstance(scanned, ScanReply)
    suggested, _ = handle(messages.Suggest(scan=scanned.report, method="byol", backbone="tinyconv"), ignore)
    assert isinstance(suggested, SuggestReply)
    experiment = suggested.experiment
    assert (experiment.method.name, experiment.backbone.name) == ("byol", "tinyconv")
    assert suggested.reasons
    checked, _ = handle(messages.Check(experiment=experiment, images=6), ignore)
    assert isinstance(checked, CheckReply)
    small = msgspec.structs.replace(
        experiment,
        train=msgspec.structs.replace(experiment.train, batch_size=4, device="cpu"),
        views=tuple(msgspec.structs.replace(view, size=32) for view in experiment.views),
    )
    measured, _ = handle(messages.Measure(experiment=small, images=6), ignore)
    assert isinstance(measured, MeasureReply)
    assert measured.measurement.images_per_second > 0


def test_a_look_inside_comes_in_columns(run: RunFolder) -> None:
    asked = LookInside(run=str(run.path), kind="match", images=3, scale=2, image=1, at=(0.9, 0.1))
    reply, arrays = handle(asked, ignore)
    assert isinstance(reply, LookInsideReply)
    assert len(reply.paths) == 3
    alike, best = received(reply.panels, arrays, original="Image")[1:]
    assert (alike.title, best.title) == ("How alike", "Most alike")
    assert best.captions[1] == "1.00", "the place itself"


def test_a_comparison_with_masks_is_kept_and_can_be_cancelled(run: RunFolder, tmp_path: Path) -> None:
    for path in read_split(run.split_file).paths:
        file = (tmp_path / "masks" / path).with_suffix(".png")
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (32, 32), 255).save(file)
    asked = CompareMasks(run=str(run.path), folder=str(tmp_path / "masks"))
    told: list[str] = []
    reply, _ = handle(asked, lambda what, _done, _total: told.append(what))
    assert isinstance(reply, CompareMasksReply)
    assert load_comparison(run) == reply.comparison
    assert {"images, trained", "images, untrained"} <= set(told)

    def stop(what: str, done: int, total: int) -> None:
        if what == "images, untrained":
            raise Cancelled

    run.masks_file.unlink()
    with pytest.raises(Cancelled):
        handle(asked, stop)
    assert load_comparison(run) is None


def test_a_map_is_kept_in_the_run_folder(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def as_pca(
        rows: NDArray[np.float32], *, neighbors: int, min_distance: float, report: Report
    ) -> NDArray[np.float32]:
        assert (neighbors, min_distance) == (5, 0.1)
        return pca(rows)

    # UMAP itself is tested where it is; importing it takes longer than all tests here.
    monkeypatch.setattr("workbench.inspect.project.umap_layout", as_pca)
    reply, arrays = handle(Project(run=str(run.path), epoch=2, neighbors=5), ignore)
    assert isinstance(reply, ProjectReply)
    snapshot = read_snapshot(run.snapshot_file(2))
    kept = read_layout(run.layout_file(2, "umap"))
    assert kept is not None
    assert kept.shape == (len(snapshot.indices), 2)
    np.testing.assert_array_equal(kept, arrays["positions"])
    with pytest.raises(NotFoundError, match="no snapshot"):
        handle(Project(run=str(run.path), epoch=99, neighbors=5), ignore)


def test_probes_exports_and_the_report_are_kept_in_the_run_folder(run: RunFolder) -> None:
    evaluated, _ = handle(messages.Evaluate(run=str(run.path), probes=("knn",)), ignore)
    assert isinstance(evaluated, EvaluateReply)
    assert load_evaluations(run) == (evaluated.evaluation,)
    exported, _ = handle(messages.Export(run=str(run.path), formats=("npy",), folder=""), ignore)
    assert isinstance(exported, ExportReply)
    assert load_exports(run) == exported.records
    assert Path(exported.records[0].file).parent == run.exports
    page, _ = handle(messages.MakeReport(run=str(run.path)), ignore)
    assert isinstance(page, ReportReply)
    assert Path(page.file) == run.report_file
    with pytest.raises(NotFoundError, match="not a run folder"):
        handle(messages.MakeReport(run=str(run.path / "nothing")), ignore)


def test_views_are_checked_in_words_and_written_as_code() -> None:
    reply, _ = handle(CheckViews(views=VIEWS), ignore)
    assert isinstance(reply, CheckViewsReply)
    bad = (ViewSpec(chain=(OpSpec(op="solarize", params={"p": 3}),)),)
    with pytest.raises(SpecError, match=r"views\[0\]\.chain\[0\]\.p: 3 is above 1"):
        handle(CheckViews(views=bad), ignore)
    data = DataSpec(folder="x", normalize="imagenet")
    code, _ = handle(ViewsAsPython(views=(*VIEWS, ViewSpec(chain=(OpSpec(op="patch_shuffle"),))), data=data), ignore)
    assert isinstance(code, ViewsAsPythonReply)
    assert "v2.Normalize(mean=[0.485, 0.456, 0.406]" in code.text
    assert code.missing == ("Patch shuffle",)
    compile(code.text, "views.py", "exec")
    code, _ = handle(ViewsAsPython(views=VIEWS, data=DataSpec(folder="x")), ignore)
    assert isinstance(code, ViewsAsPythonReply)
    assert code.missing == ()
    assert "v2.Normalize(mean=[...]" in code.text


def test_a_suggestion_says_why_its_views_are_as_they_are(images: Path) -> None:
    scanned, _ = handle(Scan(folder=str(images)), ignore)
    assert isinstance(scanned, ScanReply)
    reply, _ = handle(Suggest(scan=scanned.report, preset="simclr"), ignore)
    assert isinstance(reply, SuggestReply)
    assert any(reason.startswith("No blur") for reason in reply.view_reasons)
    assert set(reply.view_reasons) <= set(reply.reasons)
    reply, _ = handle(Suggest(scan=scanned.report, preset="simclr", scaled=False), ignore)
    assert isinstance(reply, SuggestReply)
    assert [op.op for op in reply.experiment.views[0].chain][-1] == "gaussian_blur"


def test_a_suggestion_is_for_all_tasks_together(images: Path) -> None:
    scanned, _ = handle(Scan(folder=str(images)), ignore)
    assert isinstance(scanned, ScanReply)
    also = (TaskSpec(name="simclr"),)
    reply, _ = handle(Suggest(scan=scanned.report, method="rotation", also=also, backbone="tinyconv"), ignore)
    assert isinstance(reply, SuggestReply)
    assert reply.experiment.method.also == also
    assert sum(view.count for view in reply.experiment.views) == 2, "one is enough for rotation alone"


def test_a_ready_experiment_is_suggested_whole(images: Path) -> None:
    scanned, _ = handle(Scan(folder=str(images)), ignore)
    assert isinstance(scanned, ScanReply)
    usual, _ = handle(Suggest(scan=scanned.report, method="moco_v2", backbone="tinyconv"), ignore)
    reply, _ = handle(Suggest(scan=scanned.report, ready="moco-with-momentum-0", backbone="tinyconv"), ignore)
    assert isinstance(usual, SuggestReply)
    assert isinstance(reply, SuggestReply)
    assert reply.experiment.method.params == {"momentum": 0.0, "final_momentum": 0.0}
    assert reply.experiment.name.startswith("moco-with-momentum-0 on ")
    own = replace(usual.experiment.train, **load_registry().experiment("moco-with-momentum-0").train)
    expected = replace(usual.experiment, name="", method=reply.experiment.method, train=own)
    assert replace(reply.experiment, name="") == expected
    assert reply.reasons[0].startswith("MoCo with momentum 0: ")


def test_views_are_measured_without_the_images_that_are_damaged(tmp_path: Path) -> None:
    """As training leaves them out; where nothing can be read, it says which file and why."""
    for number in range(20):
        pixels = np.random.default_rng(number).integers(0, 255, (24, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number:02d}.png")
    whole = (tmp_path / "07.png").read_bytes()
    (tmp_path / "07.png").write_bytes(whole[: len(whole) // 2])
    paths = tuple(f"{number:02d}.png" for number in range(20))
    views = (ViewSpec(size=24, chain=(OpSpec(op="random_resized_crop"),)),)
    data = DataSpec(folder=str(tmp_path), size=24)
    request = messages.MeasureViews(data=data, views=views, paths=paths, seed=0, classes=tuple("ab" * 10))
    reply, _ = handle(request, ignore)
    assert isinstance(reply, messages.ViewFactsReply)
    assert reply.facts.images == 19
    with pytest.raises(DataError, match=r"07\.png"):
        handle(replace(request, paths=("07.png",), classes=("a",)), ignore)
