"""One emulator per state folder: a lock that dies with its process, and says who holds it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from emulator.errors import StateInUse

# The holder's particulars come after the locked byte: Windows lets nobody read a byte that is locked.
_PARTICULARS = 1


class FolderLock:
    """Held from construction to `release`; raises StateInUse when another process holds it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _take(self._file)
        except OSError:
            holder = self._holder()
            os.close(self._file)
            raise StateInUse(
                f"the state folder {folder} is in use {holder}; stop that one, or give --persist-to"
            ) from None
        self.note_port(None)

    def note_port(self, port: int | None, ip: str | None = None) -> None:
        """Write down who we are, for the one who finds the folder locked; `ip` if we listen on one address only."""
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, b" " + json.dumps({"pid": os.getpid(), "port": port, "ip": ip}).encode())
        os.ftruncate(self._file, os.lseek(self._file, 0, os.SEEK_CUR))

    def release(self) -> None:
        os.close(self._file)

    def _holder(self) -> str:
        os.lseek(self._file, _PARTICULARS, os.SEEK_SET)
        try:
            found = json.loads(os.read(self._file, 200))
        except (OSError, ValueError):
            return "by another emulator"
        return f"by pid {found['pid']}" + (f" on port {found['port']}" if found.get("port") else "")


if sys.platform == "win32":
    import msvcrt

    def _take(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
