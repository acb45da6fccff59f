"""From a folder of images to a data set: scan, labels, split, pixel store, and the painted sample."""
