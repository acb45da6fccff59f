"""Augmentation: ops on batches of tensors, chains of ops, and the plan that makes a batch's views."""
