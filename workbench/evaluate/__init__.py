"""How good a frozen representation is: probes, intervals, and baselines beside them."""
