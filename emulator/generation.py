"""A generation seen from outside: load, converse, drain, stop."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from emulator.calls import Answer, Calls
from emulator.errors import WorkerGone
from emulator.launch import Launched
from emulator.loaded import Loaded, LoadFailed
from emulator.models import Failure
from emulator.offspring import Offspring, offspring
from emulator.pings import Pings
from emulator.reply import Reply
from emulator.runtime.standing import tells_of_debugger
from emulator.watchdog import PING_EVERY, Watchdog
from emulator.wire import Channel, Frame

log = logging.getLogger("emulator")

_SLOW_TO_LOAD = 2.0
_CLOSED_WITHIN = 1.0


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """What a generation calls upward."""

    answer: Callable[[Generation, Frame], Awaitable[Answer | None]]
    printed: Callable[[Generation, int, str, str], None]
    died: Callable[[Generation, str], None]
    blocked: Callable[[Generation, str], None]
    slow: Callable[[Generation, str], None] = lambda generation, stack: None
    held: Callable[[Generation], None] = lambda generation: None
    released: Callable[[Generation, tuple[str, int, int]], None] = lambda generation, stub: None
    ended: Callable[[Generation], None] = lambda generation: None


class Conversation:
    """One event under way in a generation: its frames in order, until `done` or the generation's end."""

    def __init__(self, generation: Generation, number: int) -> None:
        self.generation = generation
        self.number = number
        self._frames: deque[Frame] = deque()
        self._news: asyncio.Future[None] | None = None
        self._lost: WorkerGone | None = None
        self.on_retire: Callable[[], None] = lambda: None

    def feed(self, frame: Frame) -> None:
        self._frames.append(frame)
        self._wake()

    def lose(self, why: WorkerGone) -> None:
        self._lost = why
        self._wake()

    async def receive(self) -> Frame:
        """The next frame. Raises WorkerGone when the process ended first."""
        while not self._frames:
            if self._lost is not None:
                raise self._lost
            self._news = asyncio.get_running_loop().create_future()
            await self._news
        return self._frames.popleft()

    async def done(self) -> Frame:
        """The last frame."""
        while True:
            frame = await self.receive()
            if frame.kind == "done":
                return frame

    def send(self, kind: str, head: dict[str, Any] | None = None, body: bytes = b"") -> None:
        self.generation.send(kind, self.number, head, body)

    def leave(self) -> None:
        """The user's side is cancelled, what it still sends is dropped; whoever waits for a frame is told."""
        self.send("cancel")
        self.generation.forget(self.number)
        self.lose(WorkerGone("it has been left"))

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


@dataclass(eq=False)
class Generation:
    """One loaded version of a worker, in one process (or, in process, at the other end of a memory channel)."""

    worker: str
    number: int
    hooks: Hooks
    channel: Channel
    launched: Launched | None = None
    loaded: Loaded = field(default_factory=Loaded)
    alive: bool = True

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self._conversations: dict[int, Conversation] = {}
        self._opening: asyncio.Future[Frame] | None = None
        self._calls = Calls(lambda frame: self.hooks.answer(self, frame), self.channel.send)
        self._pings = Pings(lambda number, turns: self.channel.send("ping", number, {"turns": turns}))
        self._watchdog = Watchdog(
            lambda: self.channel.send("ping", 0, {"turns": 0}),
            on_held=lambda: self.hooks.held(self),
            on_blocked=lambda stack: self.hooks.blocked(self, stack),
        )
        self._stopping = False
        self._quiet = asyncio.Event()
        self._gone = asyncio.Event()
        self._quiet.set()
        self.channel.on_frame = self._receive
        self.channel.on_close = self._closed

    async def load(self, head: dict[str, Any]) -> None:
        """Import the worker. Raises LoadFailed, or WorkerGone when the process ended over it."""
        self._opening = asyncio.get_running_loop().create_future()
        self.channel.send("load", 0, head)
        if not self.alive:
            raise WorkerGone("it ended before it could load the worker")
        frame = await self._opened(self._opening)
        if frame.kind == "failed":
            raise LoadFailed(frame.head["error"], frame.head["files"])
        self.loaded = Loaded.from_head(frame.head)
        self._watchdog.begin(self.launched)

    async def _opened(self, opening: asyncio.Future[Frame]) -> Frame:
        """The answer to `load`. Where it is long in coming, where the import stands is said meanwhile."""
        await asyncio.wait([opening], timeout=_SLOW_TO_LOAD)
        if not opening.done() and not self.holds and self.launched is not None:
            stack = self.launched.stack()
            if tells_of_debugger(stack):
                self.hold(True)
            else:
                self.hooks.slow(self, stack)
        frame = await opening
        self.hold(False)
        return frame

    def open(self, kind: str, head: dict[str, Any], body: bytes = b"") -> Conversation:
        """Begin a conversation. Raises WorkerGone when the process has ended."""
        if not self.alive:
            raise WorkerGone("the worker's process has ended")
        number = next(self._numbers)
        conversation = self._conversations[number] = Conversation(self, number)
        self._quiet.clear()
        self.channel.send(kind, number, head, body)
        return conversation

    def reply(self, asked: Frame) -> Reply:
        """How to answer a call in pieces, while `hooks.answer` is still under way; that returns None then."""
        return self._calls.reply(asked)

    def send(self, kind: str, number: int, head: dict[str, Any] | None = None, body: bytes = b"") -> None:
        self.channel.send(kind, number, head, body)

    def forget(self, number: int) -> None:
        self._conversations.pop(number, None)
        if not self._conversations:
            self._quiet.set()

    @property
    def is_stopping(self) -> bool:
        """It is us who end the process."""
        return self._stopping

    async def settle(self) -> None:
        """Return when the user's loop has nothing more to do at once, or the process has ended."""
        await self._pings.settled()

    # A debugger

    @property
    def holds(self) -> bool:
        """Whether a debugger has stopped the process."""
        return self._watchdog.holds

    @property
    def held_for(self) -> timedelta:
        """How long debuggers have held the process, altogether."""
        return self._watchdog.held_for

    def hold(self, on: bool) -> None:
        """A debugger has stopped the process, or lets go of it."""
        self._watchdog.hold(on)

    async def let_go(self) -> timedelta:
        """Return when no debugger holds the process, or when it ends: for how long one has, altogether."""
        # A process that is held does not answer, and it may not be known yet that it is.
        await self._pings.answered()
        while self.holds and self.alive:
            await asyncio.sleep(PING_EVERY)
            await self._pings.answered()
        return self.held_for

    async def drain(self, grace: float) -> None:
        """Let conversations end, for so many seconds; then end the process. Web sockets are told to end now."""
        for conversation in list(self._conversations.values()):
            conversation.on_retire()
        held = None
        while not self._quiet.is_set() and held != (held := self.held_for):
            # Whoever was held meanwhile has all of the time again.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._quiet.wait(), grace)
        await self.stop()

    async def stop(self) -> None:
        """End the process now: asked first, killed if it does not listen."""
        self._stopping = True
        self._watchdog.end()
        left = offspring(self.launched.process.pid) if self.launched is not None and self.alive else []
        if self.alive:
            self.channel.send("stop")
            self.channel.flush()
        if self.launched is not None:
            await self.launched.end()
        self._end_those_left(left)
        self.channel.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._gone.wait(), _CLOSED_WITHIN)

    def _end_those_left(self, children: Iterable[Offspring]) -> None:
        for each in children:
            if each.kill():
                log.warning(
                    "%s: a process that the worker had started was ended with it: %s", self.worker, each.command
                )

    def _receive(self, frame: Frame) -> None:
        match frame.kind:
            case "call" | "taken" | "leave" | "say":
                self._calls.receive(frame)
            case "release":
                worker, number, thing = frame.head["stub"]
                # In its turn: what came before it, and may lend the same thing on, is looked at in a task.
                asyncio.get_running_loop().call_soon(self.hooks.released, self, (worker, number, thing))
            case "print":
                text = frame.body.decode("utf-8", "replace")
                self.hooks.printed(self, frame.head["by"], frame.head["stream"], text)
            case "pong":
                self._watchdog.heard(held=frame.head["debugger"])
                self._pings.heard(frame.id)
            case "hold":
                if self.launched is not None:
                    # What it wrote of itself before says nothing of now.
                    self.launched.stack()
                self._watchdog.heard(held=frame.head["on"])
            case "ready" | "failed":
                if self._opening is not None and not self._opening.done():
                    self._opening.set_result(frame)
            case _:
                self._pass_on(frame)

    def _pass_on(self, frame: Frame) -> None:
        conversation = self._conversations.get(frame.id)
        if conversation is None:
            return
        if frame.kind == "done" or frame.head.get("done"):
            self.forget(frame.id)
        conversation.feed(frame)

    def _closed(self) -> None:
        self._gone.set()
        if not self.alive:
            return
        self.alive = False
        self.hooks.ended(self)
        self.hold(False)
        why = "it was stopped" if self.launched is None or self._stopping else self.launched.epitaph()
        gone = WorkerGone(f"the worker's process ended: {why}")
        if self._opening is not None and not self._opening.done():
            self._opening.set_exception(gone)
        conversations, self._conversations = list(self._conversations.values()), {}
        for conversation in conversations:
            conversation.lose(gone)
        self._quiet.set()
        self._pings.end()
        self._calls.end()
        self._watchdog.end()
        if not self._stopping:
            self.hooks.died(self, why)


def failure(error: dict[str, Any]) -> Failure:
    """An error that crossed, as a noun."""
    return Failure(
        name=error["kind"], message=error["message"], trace=error.get("trace", ""), type=error.get("type", "")
    )
