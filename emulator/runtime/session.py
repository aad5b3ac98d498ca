"""One generation from the inside: frames in, the worker's code called, frames out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from emulator.runtime import loader, standing
from emulator.runtime.calls import Calls
from emulator.runtime.output import Outputs, Speaker, speaker
from emulator.runtime.worker import Worker
from emulator.wire import Channel, Frame


class Session:
    """Serves one channel: `load` first, then events until `stop` or the end of the channel."""

    def __init__(
        self,
        channel: Channel,
        *,
        heartbeat: Callable[[], None] = lambda: None,
        on_stop: Callable[[], None] = lambda: None,
        is_ending: Callable[[], bool] = lambda: False,
    ) -> None:
        self._channel = channel
        self._heartbeat = heartbeat
        self._on_stop = on_stop
        self._is_ending = is_ending
        self._calls = Calls(channel)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._worker: Worker | None = None
        self._outputs: Outputs | None = None
        self._stopped = False
        channel.on_frame = self._receive
        channel.on_close = self.stop

    def attach(self, outputs: Outputs) -> None:
        """The stand-ins for the process's outputs, so that an invocation's last line is not lost."""
        self._outputs = outputs

    def print(self, by: int, stream: str, text: str) -> None:
        """Send a line the user's code printed."""
        self._channel.send("print", 0, {"by": by, "stream": stream}, text.encode("utf-8", "replace"))

    def hold(self, on: bool) -> None:
        """Tell the emulator that a debugger holds the process, or lets go of it."""
        self._channel.send("hold", 0, {"on": on})
        self._channel.flush()

    def stop(self) -> None:
        """End what runs, without a word of how it ended: the emulator knows why."""
        if self._stopped:
            return
        self._stopped = True
        if self._worker is not None:
            self._worker.unload()
        for task in self._tasks.values():
            task.cancel()
        self._on_stop()

    def _receive(self, frame: Frame) -> None:
        match frame.kind:
            case "answer" | "piece":
                self._calls.answered(frame)
            case "fetch" | "upgrade" | "rpc" | "scheduled" | "queue" | "email" | "tail" | "run":
                self._begin(frame)
            case "body" | "credit" | "socket" | "expire" | "drop" if self._worker is not None:
                self._worker.receive(frame)
            case "cancel":
                self._cancel(frame.id)
            case "ping":
                if not frame.head["turns"]:
                    self._heartbeat()
                self._pong(frame.id, frame.head["turns"])
            case "load":
                self._heartbeat()
                self._load(frame)
            case "warm":
                loader.warm(frame.head["modules"])
            case "stop":
                self.stop()
            case _:
                pass

    def _pong(self, number: int, turns: int) -> None:
        """Answer after so many turns of the loop: work that was ready has then been done."""
        if turns > 0:
            asyncio.get_running_loop().call_soon(self._pong, number, turns - 1)
        else:
            self._channel.send("pong", number, {"debugger": standing.is_held()})

    def _begin(self, frame: Frame) -> None:
        worker = self._worker
        assert worker is not None
        worker.begin(frame)
        self._tasks[frame.id] = asyncio.get_running_loop().create_task(self._converse(worker, frame))

    async def _converse(self, worker: Worker, frame: Frame) -> None:
        by = Speaker(frame.id, self.print)
        speaker.set(by)
        if self._outputs is not None:
            self._outputs.stand_in()
        try:
            done = await worker.handle(frame)
        except asyncio.CancelledError as error:
            # Raised by the user's own code, it is an exception like any other; somebody waits for the answer.
            is_left = frame.id not in self._tasks or self._is_over()
            done = {"outcome": "canceled", "cancelled": True} if is_left else _failed(worker, error)
        except BaseException as error:
            done = _failed(worker, error)
        finally:
            self._tasks.pop(frame.id, None)
            worker.forget(frame.id)
        if self._outputs is not None:
            self._outputs.finish(by)
        # Who is stopped in the middle leaves the last word to the emulator, which knows why.
        if done is not None and not self._is_over():
            body = done.pop("body", b"")
            self._channel.send("done", frame.id, done, body)

    def _is_over(self) -> bool:
        """The process is to end, or code of the worker's has cancelled all there is, and with it the process."""
        return self._stopped or self._is_ending()

    def _cancel(self, number: int) -> None:
        if self._worker is not None:
            self._worker.leave(number)
        task = self._tasks.pop(number, None)
        if task is not None:
            # Once it has begun: before that it would end without a word, and somebody waits for `done`.
            asyncio.get_running_loop().call_soon(task.cancel)

    def _load(self, frame: Frame) -> None:
        speaker.set(Speaker(0, self.print))
        worker = self._worker = Worker(frame.head, self._channel, self._calls, say=self.print, is_over=self._is_over)
        try:
            offered = worker.load()
        except BaseException as error:
            # Also SystemExit and KeyboardInterrupt in a module body: a load that failed, not the end of the process.
            self._channel.send("failed", frame.id, {"error": worker.describe(error), "files": worker.files})
            return
        self._channel.send("ready", frame.id, offered)


def _failed(worker: Worker, error: BaseException) -> dict[str, Any]:
    return {"outcome": "exception", "error": worker.describe(error)}
