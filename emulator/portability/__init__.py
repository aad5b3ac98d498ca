"""What works here and not on the platform, by reading a worker's code. Pure: nothing is imported or run."""

from emulator.portability.reading import findings
from emulator.portability.whole import handlers, native

__all__ = ["findings", "handlers", "native"]
