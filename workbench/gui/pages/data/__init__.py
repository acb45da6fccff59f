"""The Data page: which images, what is known of them, and how they are split."""

from workbench.gui.pages.data.page import DataPage

__all__ = ["DataPage"]
