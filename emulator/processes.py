"""How a generation is started: in a process of the user's interpreter, or in this one over a memory channel."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field

from emulator.config import Config
from emulator.generation import Generation, Hooks
from emulator.launch import Allowance, Launched, launch_for
from emulator.runtime.output import Outputs
from emulator.runtime.process import debugger_hook, is_pythons_own
from emulator.runtime.session import Session
from emulator.wire import SocketChannel, memory_channels


@dataclass
class Processes:
    """Starts each generation in a process of its own; the first one may have been launched ahead of all imports."""

    python: str | None = None
    ahead: list[Launched] = field(default_factory=list)
    allowance: Allowance = field(default_factory=Allowance)

    async def start(self, config: Config, number: int, hooks: Hooks) -> Generation:
        """A generation that waits for `load`."""
        launched = self.ahead.pop() if self.ahead else launch_for(config.root, self.python, self.allowance)
        try:
            channel = await connect(launched)
        except BaseException:
            # A newer save has come. Nobody else knows this process.
            launched.kill("it was not needed any more")
            launched.epitaph()
            launched.socket.close()
            raise
        return Generation(config.name, number, hooks, channel, launched)


class InProcess:
    """Starts each generation in this very process: for coverage, monkeypatching and the simplest debugging."""

    def __init__(self) -> None:
        self._outputs: Outputs | None = None
        self._hook = debugger_hook(self._hold, self._end)
        self._sessions: dict[Session, Generation] = {}

    async def start(self, config: Config, number: int, hooks: Hooks) -> Generation:
        """A generation that waits for `load`; the modules of the one before it are forgotten then."""
        ours, theirs = memory_channels()
        session = Session(theirs, on_stop=lambda: self._stopped(session))
        self._outputs = self._outputs or Outputs()
        self._sessions[session] = Generation(config.name, number, hooks, ours)
        session.attach(self._outputs)
        if is_pythons_own(sys.breakpointhook):
            # It would write to the stand-ins, and nothing of that is seen while it holds the loop.
            sys.breakpointhook = self._hook
        return self._sessions[session]

    def _hold(self, on: bool) -> None:
        """A debugger in one of them holds them all. They are told by call: no frame arrives while the loop stands."""
        for generation in self._sessions.values():
            generation.hold(on)

    def _end(self) -> None:
        """Ctrl-C at a prompt. What runs is not over, and begins anew with the next start; so it reports no end."""
        for session in list(self._sessions):
            session.stop()
        # What else was ready to run stops at no prompt any more.
        sys.breakpointhook = _leave

    def _stopped(self, session: Session) -> None:
        del self._sessions[session]
        if not self._sessions and self._outputs is not None:
            self._outputs.put_back()
            self._outputs = None
            if sys.breakpointhook is self._hook:
                sys.breakpointhook = sys.__breakpointhook__


async def connect(launched: Launched) -> SocketChannel:
    """The channel to a launched process."""
    _, channel = await asyncio.get_running_loop().create_connection(SocketChannel, sock=launched.socket)
    return channel


def _leave(*_: object, **options: object) -> None:
    """A `breakpoint()` after the end."""
    raise asyncio.CancelledError
