"""The Export page: files that load elsewhere, each verified."""

from workbench.gui.pages.export.page import ExportPage

__all__ = ["ExportPage"]
