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
from typing import IO, Any

from emulator.runtime.output import capture
from emulator.runtime.session import Session
from emulator.wire import SocketChannel

_BLOCKED_AFTER = 1.0


def main(connection: int, lifeline: int, stack_file: str) -> None:
    """Serve until the emulator says stop, or is gone."""
    os.environ["TZ"] = "UTC"
    if hasattr(time, "tzset"):
        time.tzset()
    # Ctrl-C in the terminal reaches both processes; the emulator decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_emulator, args=(lifeline,), daemon=True).start()
    asyncio.run(_serve(connection, stack_file))


async def _serve(connection: int, stack_file: str) -> None:
    loop = asyncio.get_running_loop()
    stopped = loop.create_future()

    def stop() -> None:
        if not stopped.done():
            stopped.set_result(None)

    with open(stack_file, "w") as stack:
        _, channel = await loop.create_connection(SocketChannel, sock=socket.socket(fileno=connection))
        session = Session(channel, heartbeat=lambda: _dump_stack_when_blocked(stack), on_stop=stop)
        outputs = capture(session.print)
        session.attach(outputs)
        sys.breakpointhook = _debugger_hook(session)
        await stopped
        channel.close()
        # What is left is nobody's business any more; asyncio.run would wait for it.
        os._exit(0)


def _dump_stack_when_blocked(stack: IO[str]) -> None:
    """
    Re-arm a timer in C: it writes where Python stands even while Python cannot run.

    The emulator reads the file when no pong comes.
    """
    stack.seek(0)
    stack.truncate()
    faulthandler.dump_traceback_later(_BLOCKED_AFTER, file=stack)


def _debugger_hook(session: Session) -> Any:
    """`breakpoint()`: pdb on the real terminal, or whatever PYTHONBREAKPOINT names."""
    if os.environ.get("PYTHONBREAKPOINT"):
        return sys.__breakpointhook__

    def stop_here(*arguments: Any, **options: Any) -> None:
        # Few runs debug, all runs start: pdb is imported by those who need it.
        debugger = importlib.import_module("emulator.runtime.debugger")
        debugger.TerminalPdb(session.hold).set_trace(sys._getframe(1))

    return stop_here


def _end_with_the_emulator(lifeline: int) -> None:
    """The other end closes when the emulator dies, however it dies; user code that blocks the loop cannot keep us."""
    os.read(lifeline, 1)
    os._exit(1)
