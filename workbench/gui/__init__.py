"""The window: Qt, and neither torch nor anything that computes. It asks the engine and reads run folders."""
