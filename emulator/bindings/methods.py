"""A call from one worker to another: of a method of its entrypoint, or of an object that was lent."""

from __future__ import annotations

from typing import Any

from emulator.bindings.loans import Address, Loan, Loans
from emulator.calls import Answer
from emulator.errors import WorkerGone
from emulator.generation import Conversation, Generation
from emulator.models import Failure, Outcome
from emulator.wire import Frame

_STREAM = "a stream"


class MethodCall:
    """One call on its way. `sent` is what was lent with its arguments; `lent` what came with the result."""

    kind = "rpc"
    label = "RPC"

    def __init__(self, asked: Frame, loans: Loans, sent: list[Address], loan: Loan | None = None) -> None:
        self._asked = asked
        self._loans = loans
        self._sent = sent
        self._loan = loan
        self._value = b""
        self.lent: list[Address] = []

    @property
    def title(self) -> str:
        head = self._asked.head
        if self._loan is not None:
            return ".".join((self._loan.owner.worker, head["label"], *head["path"]))
        return ".".join(filter(None, (head["service"], head["entrypoint"], head["name"])))

    def frame(self) -> tuple[dict[str, Any], bytes]:
        head = self._asked.head
        if self._loan is not None:
            return {"stub": self._loan.number, "path": head["path"]}, self._asked.body
        fields = {"entrypoint": head["entrypoint"], "props": head["props"], "method": head["name"]}
        return fields, self._asked.body

    def result(self, outcome: Outcome) -> str:
        # The pieces of a stream are part of the call that the stream belongs to.
        is_piece = self._loan is not None and self._asked.head["label"] == _STREAM and outcome.is_ok
        return "" if is_piece else outcome.outcome

    async def converse(self, conversation: Conversation) -> Frame:
        sent, self._sent = self._sent, []
        self._loans.hand(sent, conversation.generation)
        while True:
            frame = await conversation.receive()
            if frame.kind == "result":
                self._value = frame.body
                self.lent = self._loans.begin(conversation.generation, frame.head.get("lent", ()))
            elif frame.kind == "done":
                return frame

    def answer(self) -> Answer:
        return {}, self._value

    async def failed(self, failure: Failure) -> Answer:
        return remote(failure), b""

    def deliver(self, to: Generation) -> None:
        """The result goes to who asked."""
        lent, self.lent = self.lent, []
        self._loans.hand(lent, to)

    def close(self) -> None:
        """What could not be delivered is nobody's."""
        self._loans.hand(self._sent, None)
        self._loans.hand(self.lent, None)
        self._sent, self.lent = [], []


def remote(failure: Failure) -> dict[str, Any]:
    """What the caller is told of an exception: enough to make it again; of the end of a process, in words alone."""
    if failure.name == WorkerGone.__name__ and not failure.trace:
        return {"error": {"kind": "Error", "message": failure.message}}
    trace = failure.trace or f"{failure.words}\n"
    told = {"kind": failure.name, "message": failure.message, "type": failure.type, "trace": trace}
    return {"error": {"kind": "Error", "message": failure.message, "remote": told}}
