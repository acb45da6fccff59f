"""Training: one plain loop, and what it needs around it. A run folder goes in; what happened is written there."""
