"""Does a debugger hold a process? Told from where its threads stand: who is stopped stands in the debugger's code."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from types import FrameType

_DEBUGGERS = ("pydevd", "bdb")
# The functions that a stopped thread waits in: pydevd is VS Code's and PyCharm's, bdb is below pdb, ipdb and pudb.
_WAITS = {
    "pydevd.py": ("do_wait_suspend", "_do_wait_suspend"),
    "bdb.py": ("dispatch_",),
    "pdb.py": ("interaction", "_interaction"),
}
_PLACE = re.compile(r'^  File "(.*)", line \S+ in (\w+)', re.MULTILINE)


def has_debugger() -> bool:
    """Whether this process has loaded one at all."""
    return any(name in sys.modules for name in _DEBUGGERS)


def is_held() -> bool:
    """Whether a thread of this process is stopped in a debugger."""
    if not has_debugger():
        return False
    codes = (frame.f_code for top in sys._current_frames().values() for frame in _outward(top))
    return any(_waits_in(code.co_filename, code.co_name) for code in codes)


def tells_of_debugger(dump: str) -> bool:
    """Whether a thread is stopped in a debugger, by a dump of all of them as faulthandler writes it."""
    return any(_waits_in(file, function) for file, function in _PLACE.findall(dump))


def _outward(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _waits_in(file: str, function: str) -> bool:
    return function.startswith(_WAITS.get(file.replace("\\", "/").rpartition("/")[2], ("\0",)))
