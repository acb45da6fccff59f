"""The Views page: what the network will see, live."""

from workbench.gui.pages.views.page import ViewsPage

__all__ = ["ViewsPage"]
