"""The families of methods, as they are called and in the order in which they stand."""

FAMILIES = {
    "contrastive": "Contrastive",
    "distillation": "Self-distillation",
    "redundancy reduction": "Redundancy reduction",
    "clustering": "Clustering",
    "rebuilding": "Rebuilding",
    "masked": "Masked modeling",
    "puzzle": "Puzzles",
    "baseline": "Baselines",
}
