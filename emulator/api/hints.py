"""Which steps an instance has, for a request that names none of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from emulator.models import Step, StepKind

_MOST = 20
_COUNTED = re.compile(r"(?P<name>.+)-\d+", re.DOTALL)


def to_begin_from(steps: Iterable[Step], wanted: str) -> str:
    """What a restart can begin from: names without their counter, those like the wanted one first."""
    counted = _COUNTED.fullmatch(wanted)
    alike = {wanted, counted["name"]} if counted else {wanted}
    found = [step for step in steps if step.kind is not StepKind.ROLLBACK]
    names = {step.name for step in found}
    without = "a name stands without its counter: " if counted and alike & names and wanted not in names else ""
    return without + _listed(_named(step) for step in sorted(found, key=lambda step: step.name not in alike))


def to_show(steps: Iterable[Step], kinds: Mapping[str, StepKind], wanted: str) -> str:
    """What can be asked for by itself: names with their counter, and their types."""
    types = {kind: word for word, kind in kinds.items()}
    found = [step for step in steps if step.kind in types]
    alike = sorted(found, key=lambda step: wanted not in (step.name, step.label))
    return _listed(f"{step.label} (type: {types[step.kind]})" for step in alike)


def _named(step: Step) -> str:
    more = [
        *([f"type: {step.kind}"] if step.kind is not StepKind.DO else []),
        *([f"count: {step.count}"] if step.count > 1 else []),
    ]
    return f"{step.name} ({', '.join(more)})" if more else step.name


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _MOST} more" if len(every) > _MOST else ""
    return f"there are {', '.join(every[:_MOST])}{more}" if every else "there are none yet"
