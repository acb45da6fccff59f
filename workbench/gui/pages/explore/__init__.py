"""The Explore page: the map of embeddings."""

from workbench.gui.pages.explore.page import ExplorePage

__all__ = ["ExplorePage"]
