"""The Train page: a run as it happens."""

from workbench.gui.pages.train.page import TrainPage

__all__ = ["TrainPage"]
