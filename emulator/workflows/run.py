"""One pass of an instance through the user's code: what it has recorded, what it waits for, and when it must leave."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from functools import partial

from emulator.clock import Alarm, Clock, wake
from emulator.generation import Conversation, Generation
from emulator.models import Instance, Status, Step
from emulator.workflows.replay import Identity, Replay

_FURTHEST = 1_000


class Leaving(Enum):
    """Why a pass is to end at its next step boundary."""

    PAUSE = "pause"
    GIVE_WAY = "give way to a newer generation"


class Run:
    """
    The engine's side of one pass. Its requests are the step calls that wait for an answer.

    `executing` are the attempts under way in the user's code, `parked` the requests that wait on the clock or an event.
    `numbered` is the last place of the instance's order for which there is an attempt. `unwritten` is a step that has
    begun by a grant and is not on record yet: most have ended before it is worth while.
    """

    def __init__(
        self, instance: Instance, generation: Generation, clock: Clock, *, steps: list[Step], numbered: int = 0
    ) -> None:
        self.instance = instance
        self.generation = generation
        self.conversation: Conversation | None = None
        self.status = Status.RUNNING
        self.leaving: Leaving | None = None
        self.live = True
        self.taken = 0
        self.answered = 0
        self._beyond = 0
        self.replay = Replay(steps)
        self.executing: dict[Identity, Alarm | asyncio.Task[None] | None] = {}
        self.steps: dict[Identity, Step] = {step.identity: step for step in steps}
        self.on_parked: Callable[[Run], None] = lambda run: None
        self._clock = clock
        self.last_order = max((step.order for step in steps), default=0)
        self.has_grant = False
        self.unwritten: Step | None = None
        # The place of an attempt without a step: whether it had begun when the emulator ended, nobody knows.
        self.interrupted = numbered if numbered > self.last_order else 0
        self._parked: dict[asyncio.Future[None], datetime] = {}
        self._requests: set[asyncio.Task[object]] = set()
        self._waiters: dict[str, deque[asyncio.Future[None]]] = {}
        self._gate = asyncio.Event()

    @property
    def name(self) -> str:
        return self.instance.title

    @property
    def is_rolling_back(self) -> bool:
        """The instance can only end: nothing runs any more but what undoes its steps."""
        return self.instance.ending is not None

    @property
    def is_waiting(self) -> bool:
        """Blocked only on the clock or an event."""
        return bool(self._parked) and not self.executing

    @property
    def is_at_rest(self) -> bool:
        """Waiting, and no call is being answered; its code may still be about to make one."""
        return self.is_waiting and len(self._requests) == len(self._parked)

    @property
    def is_alone(self) -> bool:
        """Nothing is under way: what starts now starts after all that came before it."""
        return not self._parked and not self.executing

    @property
    def is_asked_once(self) -> bool:
        """No call is being answered beside the one that asks."""
        return len(self._requests) <= 1

    @property
    def is_busy(self) -> bool:
        return self.live and not self.is_waiting

    @property
    def wakes_at(self) -> datetime:
        """When the first of the waits is over."""
        return min(self._parked.values())

    def is_unwritten(self, step: Step) -> bool:
        """Whether this is the step that has begun by a grant and is not on record yet."""
        return self.unwritten is not None and self.unwritten.identity == step.identity

    def goes_too_far(self) -> bool:
        """
        While the code runs only to bring its rollback handlers back: one more call of which there is no record.

        Sleeps and steps are over at once then, so that a loop around them would never end.
        """
        self._beyond += 1
        return self._beyond > _FURTHEST + len(self.steps)

    def next_order(self) -> int:
        """The place of a step that starts now."""
        self.last_order += 1
        return self.last_order

    @contextmanager
    def request(self) -> Iterator[None]:
        """A step call being answered; cancelled when the run is left."""
        task = asyncio.current_task()
        assert task is not None
        if not self.live:
            raise asyncio.CancelledError
        self._requests.add(task)
        try:
            yield
        finally:
            self._requests.discard(task)
            self.answered += 1

    async def gate(self, at_boundary: Callable[[Run], None], *, nested: bool) -> None:
        """
        Pass, unless the run is to end here: then the last one to arrive ends it, and nobody passes.

        What is called from inside a step's body belongs to that attempt, which is let finish.
        """
        while self.leaving is not None and not (nested and self.executing):
            if not self.executing:
                at_boundary(self)
            self._gate.clear()
            await self._gate.wait()

    def go_on(self) -> None:
        """The pause was called off."""
        self.leaving = None
        self._gate.set()

    async def park(self, until: datetime, *, event_type: str | None = None) -> None:
        """Wait for a moment, or for an event of a type if one comes first."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._parked[place] = until
        try:
            self.on_parked(self)
            if event_type is None:
                await self._clock.sleep_until(until)
            else:
                await self._wait_for(event_type, until, place)
        finally:
            self._parked.pop(place, None)
            place.cancel()

    def wake_oldest(self, event_type: str) -> bool:
        """An event has come: wake the wait that has stood longest; False when none stands."""
        waiters = self._waiters.get(event_type)
        while waiters:
            waiter = waiters.popleft()
            if not waiter.done():
                # From here on it does not wait any more: the pass must not be given up before it has its event.
                self._parked.pop(waiter, None)
                waiter.set_result(None)
                return True
        return False

    def turn_back(self) -> None:
        """`run` is over: what was still under way beside it is dropped, only the call being answered goes on."""
        self.cancel_timers()
        self.executing.clear()
        for task in self._requests - {asyncio.current_task()}:
            task.cancel()

    def leave(self) -> None:
        """End the pass here and now. What it was waiting for is cancelled, what it still sends is not heard."""
        self.live = False
        if self.conversation is not None:
            self.conversation.leave()
        self.cancel_timers()
        for task in self._requests:
            task.cancel()

    def cancel_timers(self) -> None:
        """No attempt of this pass can be late any more."""
        for timer in self.executing.values():
            if timer is not None:
                timer.cancel()

    async def _wait_for(self, event_type: str, until: datetime, waiter: asyncio.Future[None]) -> None:
        self._waiters.setdefault(event_type, deque()).append(waiter)
        alarm = self._clock.alarm(until, partial(wake, waiter))
        try:
            await waiter
        finally:
            alarm.cancel()
