"""Everything that must survive: one SQLite file, one connection, one module that opens it."""

from emulator.store.database import Store
from emulator.store.instances import Superseded

__all__ = ["Store", "Superseded"]
