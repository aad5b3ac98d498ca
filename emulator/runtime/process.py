"""What surrounds a session in a process of its own: socket, lifeline, outputs, debugger, stack dumps."""

from __future__ import annotations

import asyncio
import faulthandler
import importlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import BuiltinFunctionType
from typing import Any

from emulator.runtime import standing
from emulator.runtime.output import Outputs
from emulator.runtime.session import Session
from emulator.wire import SocketChannel

_BLOCKED_AFTER = 1.0


def main(connection: int, lifeline: int, stack_file: int, memory: int) -> None:
    """Serve until the emulator says stop, or is gone; in so many bytes of memory, 0 for as many as there are."""
    os.environ["TZ"] = "UTC"
    if hasattr(time, "tzset"):
        time.tzset()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _leave_it_to_the_emulator)
    if hasattr(signal, "pthread_sigmask"):
        # Blocked while the interpreter started, when nobody could have caught it.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    thread = threading.Thread(target=_end_with_the_emulator, args=(lifeline,), daemon=True, name="lifeline")
    # An editor's debugger, which stops all threads, takes this one for its own.
    vars(thread).update(pydev_do_not_trace=True, is_pydev_daemon_thread=True)
    thread.start()
    _limit(memory)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # Not asyncio.run: where the worker's code ends the loop it would cancel all that is under way, which would then be
    # over for good. A process that has just gone has it done again.
    loop.run_until_complete(_serve(connection, _descriptor(stack_file, os.O_WRONLY)))


async def _serve(connection: int, stack: int) -> None:
    loop, serving = asyncio.get_running_loop(), asyncio.current_task()
    assert serving is not None
    stopped = loop.create_future()

    def stop() -> None:
        if not stopped.done():
            stopped.set_result(None)

    _, channel = await loop.create_connection(SocketChannel, sock=socket.socket(fileno=connection))
    session = Session(
        channel,
        heartbeat=lambda: _dump_stack_when_blocked(stack),
        on_stop=stop,
        is_ending=lambda: serving.cancelling() > 0,
    )
    session.attach(Outputs(session.print))
    sys.breakpointhook = breakpoint_hook(sys.breakpointhook, session.hold)
    await stopped
    channel.close()
    # What is left is nobody's business any more.
    os._exit(0)


def _dump_stack_when_blocked(stack: int) -> None:
    """
    Re-arm a timer in C: it writes where Python stands even while Python cannot run.

    The emulator reads the file when no pong comes.
    """
    os.lseek(stack, 0, os.SEEK_SET)
    os.ftruncate(stack, 0)
    # Code that has blocked for a while may still come to a breakpoint.
    faulthandler.dump_traceback_later(_BLOCKED_AFTER, repeat=standing.has_debugger(), file=stack)


def is_pythons_own(hook: object) -> bool:
    """Whether nobody has taken `breakpoint()` over: an editor's debugger does, and stops in the editor."""
    return isinstance(hook, BuiltinFunctionType)


def breakpoint_hook(found: Callable[..., Any], hold: Callable[[bool], None]) -> Callable[..., Any]:
    """What `breakpoint()` is to call in a process of the worker's own, where this was found to be called so far."""
    if is_pythons_own(found):
        return debugger_hook(hold)
    # debugpy's own passes by in a process that it has followed. PyCharm's stops in the frame that calls it.
    return editor_hook(found) if hasattr(sys.modules.get("pydevd"), "_is_attached") else found


def debugger_hook(hold: Callable[[bool], None], end: Callable[[], None] | None = None) -> Callable[..., Any]:
    """`breakpoint()`: pdb on the real terminal, or whatever PYTHONBREAKPOINT names. `end` is what Ctrl-C does there."""
    if os.environ.get("PYTHONBREAKPOINT"):
        return sys.__breakpointhook__

    def stop_here(*arguments: Any, **options: Any) -> None:
        # Few runs debug, all runs start: pdb is imported by those who need it.
        debugger = importlib.import_module("emulator.runtime.debugger")
        debugger.TerminalPdb(hold, end).set_trace(sys._getframe(1))

    return stop_here


def editor_hook(theirs: Callable[..., None]) -> Callable[..., None]:
    """`breakpoint()` under debugpy; where the editor has left, what it calls otherwise."""

    def stop_here(*arguments: Any, **options: Any) -> None:
        pydevd: Any = sys.modules["pydevd"]
        if pydevd._is_attached():
            pydevd.settrace(suspend=True, trace_only_current_thread=True, stop_at_frame=sys._getframe(1))
        else:
            theirs(*arguments, **options)

    return stop_here


def _leave_it_to_the_emulator(*_: object) -> None:
    """
    Ctrl-C in the terminal reaches both processes; the emulator decides when this one ends.

    A handler and not `SIG_IGN`, which the worker's own subprocesses would inherit.
    """


def _end_with_the_emulator(lifeline: int) -> None:
    """The other end closes when the emulator dies, however it dies; user code that blocks the loop cannot keep us."""
    os.read(_descriptor(lifeline, os.O_RDONLY), 1)
    os._exit(1)


if sys.platform == "win32":
    import msvcrt

    def _descriptor(handle: int, mode: int) -> int:
        return msvcrt.open_osfhandle(handle, mode)

else:

    def _descriptor(handle: int, mode: int) -> int:
        return handle


if sys.platform == "linux":
    import resource

    def _limit(memory: int) -> None:
        """
        Let Python run out of memory before the machine does: it raises MemoryError then.

        What is counted is what can be written to (`RLIMIT_DATA`), and not all addresses (`RLIMIT_AS`): files that are
        mapped, and the address space that threads, WebAssembly and the like reserve and never fill, cost no memory.
        """
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limits = [each for each in (memory, soft, hard) if each not in (0, resource.RLIM_INFINITY)]
        if limits:
            resource.setrlimit(resource.RLIMIT_DATA, (min(limits), hard))

else:

    def _limit(memory: int) -> None:
        """Other systems know no limit that they would keep."""
