"""The Method page: how the network will learn, and with what."""

from workbench.gui.pages.method.page import MethodPage

__all__ = ["MethodPage"]
