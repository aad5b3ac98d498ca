"""The user's process: load the worker, answer frames. Standard library only, so any interpreter can run it."""
