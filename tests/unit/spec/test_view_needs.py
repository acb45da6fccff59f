"""What a method says of views that it cannot use."""

from workbench.spec.catalog import MethodCard
from workbench.spec.experiment import ViewSpec
from workbench.spec.needs import global_count, unmet_need

LOCAL = ViewSpec(name="local", role="local", count=6, size=16)


def method(**values: object) -> MethodCard:
    return MethodCard(
        name="m", title="SimCLR", family="contrastive", paper="", year=2020, summary="", explanation="", when="",
        collapse="", **values,  # type: ignore[arg-type]
    )  # fmt: skip


def test_local_views_for_a_method_without() -> None:
    assert unmet_need((ViewSpec(),), method()) is None
    need = unmet_need((ViewSpec(), LOCAL), method())
    assert need
    assert (need.kind, need.title) == ("local", "SimCLR cannot use local views.")
    assert str(need).endswith("or choose a method that uses them.")
    assert unmet_need((ViewSpec(), LOCAL), method(local_views=True)) is None


def test_too_few_global_views() -> None:
    need = unmet_need((ViewSpec(count=1), LOCAL), method())
    assert need
    assert (need.kind, need.title) == ("too few", "SimCLR needs 2 global views of each image, not 1.")
    assert unmet_need((ViewSpec(count=1),), method(global_views=1)) is None
    assert "needs 1 global view of each image, not 0" in str(unmet_need((LOCAL,), method(global_views=1)))
    assert global_count((ViewSpec(count=3), LOCAL, ViewSpec(count=1))) == 4
