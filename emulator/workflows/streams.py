"""Step results that are streams of bytes: kept block by block, and handed out again to every pass."""

from __future__ import annotations

from codecs import getincrementaldecoder
from dataclasses import dataclass
from typing import Any

from emulator.calls import Answer
from emulator.models import Step, StepKind
from emulator.workflows.answers import StepRefused
from emulator.workflows.ledger import Ledger
from emulator.workflows.run import Run

LARGEST_INSTANCE = 1 << 30
_SHOWN_CHARACTERS = 1024


@dataclass(frozen=True)
class Streams:
    """What answers the calls that keep and read blocks."""

    ledger: Ledger

    async def keep(self, run: Run, head: dict[str, Any], body: bytes) -> Answer:
        """A block of the stream that an attempt returned."""
        step = run.steps[StepKind.DO, head["name"], head["count"]]
        blocks = self.ledger.store.streams
        if blocks.size(step.instance) + len(body) > LARGEST_INSTANCE:
            raise StepRefused("The instance has exceeded the 1GiB storage limit")
        with self.ledger.store.transaction():
            self.ledger.write(run, step)
            blocks.add(step.instance, step.order, head["number"], body)
        await self.ledger.store.durable()
        return {"go": "on"}, b""

    async def read(self, run: Run, head: dict[str, Any], body: bytes) -> Answer:
        """A block of a finished stream; empty after the last one."""
        step = run.steps[StepKind.DO, head["name"], head["count"]]
        block = self.ledger.store.streams.get(step.instance, step.order, head["number"])
        return {"go": "on"}, block or b""

    def preview(self, step: Step) -> str:
        """What people are shown of a stream."""
        size = self.ledger.store.streams.size(step.instance, step.order)
        first = self.ledger.store.streams.get(step.instance, step.order, 0) or b""
        try:
            # A block may end in the middle of a character; that is no reason to call it binary.
            text = getincrementaldecoder("utf-8")().decode(first, final=len(first) == size)
        except UnicodeDecodeError:
            return f"[ReadableStream (binary): {size} bytes]"
        return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "[truncated output]"
