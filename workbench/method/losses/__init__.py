"""Losses as pure functions, each with its paper and equation, computed in float32 also under autocast."""
