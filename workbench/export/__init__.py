"""Files that leave the workbench: encoders, embeddings and the report, each checked before it is called done."""
