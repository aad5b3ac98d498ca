"""The compatibility flags of the worker whose code runs, as attributes; False for those that are off, or not known."""

from .workers.current import has_flag


def __getattr__(name: str) -> bool:
    if name.startswith("__"):
        raise AttributeError(name)
    return has_flag(name)
