"""Does the code still ask for what earlier passes recorded? Pure: recorded steps and questions → complaints."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import takewhile

from emulator.models import Step, StepKind, StepState

_WORDS = {StepKind.DO: "do", StepKind.SLEEP: "sleep", StepKind.WAIT: "wait_for_event", StepKind.ROLLBACK: "rollback"}

Identity = tuple[StepKind, str, int]


class Replay:
    """
    One pass held against the recorded steps of the passes before it.

    A recorded step that is asked for gives what was recorded, whatever the code says now; one that is not asked for
    stays in the history. Neither happens in silence.
    """

    def __init__(self, recorded: Iterable[Step]) -> None:
        forward = [step for step in recorded if step.kind is not StepKind.ROLLBACK]
        self._left = {step.identity: step for step in forward}
        self._expected: deque[Step] | None = deque(_in_one_order(forward))

    @property
    def is_over(self) -> bool:
        """The code has come to all that was recorded."""
        return not self._left

    def asked(self, identity: Identity, settings: str = "") -> str | None:
        """The code has come to a step. The complaint, if what is recorded does not fit; `settings` are a wait's."""
        recorded = self._left.pop(identity, None)
        return (
            self._wrong_kind(identity, recorded)
            or self._wrong_order(identity, recorded)
            or _wrong_settings(recorded, settings)
        )

    def left_over(self) -> Iterator[str]:
        """At the end of a pass: finished steps that the code never came to."""
        for step in self._left.values():
            if step.state is StepState.DONE:
                yield f"recorded {_named(step.identity)} was not reached by the code as it is now"

    def _wrong_kind(self, identity: Identity, recorded: Step | None) -> str | None:
        kind, name, count = identity
        if recorded is not None or not self._left:
            return None
        for other in StepKind:
            if other is not kind and (other, name, count) in self._left:
                self._expected = None
                return f"expected {_named((other, name, count))}, found {_named(identity)}; it runs as a new step"
        return None

    def _wrong_order(self, identity: Identity, recorded: Step | None) -> str | None:
        if not self._expected:
            return None
        expected = self._expected.popleft().identity
        if expected == identity:
            return None
        # What comes after the first difference is shifted by it; one complaint says it all.
        self._expected = None
        fate = "it runs as a new step" if recorded is None else "what was recorded of it holds"
        return f"expected {_named(expected)}, found {_named(identity)}; {fate}"


def _in_one_order(recorded: list[Step]) -> list[Step]:
    """Those that a later pass must come to in the same order: all before the first steps side by side."""
    alone = list(takewhile(_started_alone, recorded))
    # What stands beside others stands beside the one before them.
    return alone if len(alone) == len(recorded) else alone[:-1]


def _started_alone(step: Step) -> bool:
    return not json.loads(step.config).get("beside")


def _wrong_settings(recorded: Step | None, settings: str) -> str | None:
    if recorded is None or not settings or recorded.settings in ("", settings):
        return None
    named = _named(recorded.identity)
    return f"expected {named} {recorded.settings}, found {settings}; what was recorded holds"


def _named(identity: Identity) -> str:
    kind, name, count = identity
    return f'{_WORDS[kind]} "{name}"' + (f" (number {count})" if count > 1 else "")
