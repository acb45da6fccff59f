"""The Evaluate page: how good the representation is."""

from workbench.gui.pages.evaluate.page import EvaluatePage

__all__ = ["EvaluatePage"]
