"""Looking at a representation: embeddings of a run's encoder, their health, and their projections."""
