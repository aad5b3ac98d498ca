"""What the user's process asks: each call is answered in a task of its own, whole or in pieces, or refused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from emulator.errors import EmulatorError
from emulator.reply import Reply
from emulator.wire import Frame

log = logging.getLogger("emulator")

Answer = tuple[dict[str, Any], bytes]


class Calls:
    """The calls that wait for their answers. `answer` is who knows them, `send` the channel's."""

    def __init__(
        self,
        answer: Callable[[Frame], Awaitable[Answer | None]],
        send: Callable[[str, int, dict[str, Any], bytes], None],
    ) -> None:
        self._answer = answer
        self._send = send
        self._answering: set[asyncio.Task[None]] = set()
        self._replies: dict[int, Reply] = {}
        self._is_over = False

    def receive(self, frame: Frame) -> None:
        """A call, or, of who reads an answer in pieces: room for more, its leaving, a web socket's message."""
        if frame.kind == "call":
            task = asyncio.get_running_loop().create_task(self._settle(frame))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        elif frame.id in self._replies:
            self._replies[frame.id].receive(frame)

    def reply(self, asked: Frame) -> Reply:
        """How to answer in pieces, while `answer` is still under way; that returns None then."""
        found = self._replies[asked.id] = Reply(self._send, asked.id)
        return found

    def end(self) -> None:
        """Nobody waits for an answer any more."""
        self._is_over = True
        for task in self._answering:
            task.cancel()

    async def _settle(self, frame: Frame) -> None:
        try:
            answer = await self._answer(frame)
        except asyncio.CancelledError:
            return
        except Exception as error:
            # The worker waits for its answer, whatever happened here.
            if not isinstance(error, EmulatorError):
                log.exception("a bug of the emulator's own")
            answer = self._refusal(frame.id, error)
        else:
            if answer is None and frame.id in self._replies:
                self._replies[frame.id].break_off("the response broke off")
        finally:
            self._replies.pop(frame.id, None)
        if answer is not None and not self._is_over:
            self._send("answer", frame.id, *answer)

    def _refusal(self, number: int, error: Exception) -> Answer | None:
        """An error for who asked; None where half an answer is out, and its reader has been told."""
        reply, name = self._replies.get(number), type(error).__name__
        if reply is not None and reply.break_off(f"the response broke off: {name}: {error}"):
            return None
        return {"error": {"kind": name, "message": str(error)}}, b""
