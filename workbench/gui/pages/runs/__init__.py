"""The Runs page: every run of the workspace, and what can be done with one."""

from workbench.gui.pages.runs.page import RunsPage

__all__ = ["RunsPage"]
