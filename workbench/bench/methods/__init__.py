"""Every method of the catalog on the same images, with the same backbone and budget: what they learn, and its cost."""
