"""The contract of a method and of a backbone, and the parts that methods share."""
