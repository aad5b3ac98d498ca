"""A local emulator and dev server for Python Workers."""

__version__ = "0.1.0"
