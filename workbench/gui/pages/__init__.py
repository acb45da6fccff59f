"""The eight pages of the journey, one file (or package) each. They are imported when they are made."""

from workbench.gui.bridge import Engine
from workbench.gui.pages.page import Page
from workbench.gui.session import Session

PAGES: tuple[tuple[str, str], ...] = (
    ("data", "Data"),
    ("views", "Views"),
    ("method", "Method"),
    ("train", "Train"),
    ("explore", "Explore"),
    ("evaluate", "Evaluate"),
    ("runs", "Runs"),
    ("export", "Export"),
)
"""(name, title), in the order of the journey."""


def make_page(name: str, session: Session, engine: Engine) -> Page:
    """Makes the page of that name."""
    return _page_class(name)(session, engine)


def _page_class(name: str) -> type[Page]:
    match name:
        case "data":
            from workbench.gui.pages.data import DataPage

            return DataPage
        case "views":
            from workbench.gui.pages.views import ViewsPage

            return ViewsPage
        case "method":
            from workbench.gui.pages.method import MethodPage

            return MethodPage
        case "train":
            from workbench.gui.pages.train import TrainPage

            return TrainPage
        case "explore":
            from workbench.gui.pages.explore import ExplorePage

            return ExplorePage
        case "evaluate":
            from workbench.gui.pages.evaluate import EvaluatePage

            return EvaluatePage
        case "runs":
            from workbench.gui.pages.runs import RunsPage

            return RunsPage
        case "export":
            from workbench.gui.pages.export import ExportPage

            return ExportPage
        case _:
            raise LookupError(f"there is no page named {name}")
