"""`_headers`: a path, and below it the headers that answers under it get or lose. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from emulator.assets import patterns
from emulator.assets.patterns import Pattern

FILE = "_headers"

_MOST, _LONGEST = 100, 2_000

Pairs = Sequence[tuple[str, str]]


@dataclass
class Rule:
    """What happens to the headers of answers to these paths."""

    source: Pattern
    added: dict[str, str] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class HeaderRules:
    """The rules of a file, in their order. `problems` are the lines left out, and why."""

    rules: tuple[Rule, ...] = ()
    problems: tuple[str, ...] = ()

    def apply(self, host: str, path: str, pairs: Pairs) -> list[tuple[str, str]]:
        """The headers after all rules that match: the first to name a header sets it, later ones add to it."""
        found, ours = list(pairs), set[str]()
        for rule in self.rules:
            values = rule.source.match(host, path)
            if values is None:
                continue
            found = [pair for pair in found if pair[0] not in rule.removed]
            for name, value in rule.added.items():
                found = found if name in ours else [pair for pair in found if pair[0] != name]
                found.append((name, patterns.filled(value, values)))
                ours.add(name)
        return found


def parse(text: str) -> HeaderRules:
    """The rules of a file."""
    rules: list[Rule] = []
    problems = tuple(f"{FILE}:{number}: {why}; left out" for number, why in _problems(text, rules))
    return HeaderRules(tuple(rule for rule in rules[:_MOST] if rule.added or rule.removed), problems)


def _problems(text: str, rules: list[Rule]) -> Iterator[tuple[int, str]]:
    is_open = False
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if len(line) > _LONGEST:
            yield number, f"longer than {_LONGEST} characters"
        elif line.startswith(("/", "https://")):
            why = _begin(line, rules)
            is_open = why is None
            if why is not None:
                yield number, why
        elif is_open:
            why = _take(line, rules[-1])
            if why is not None:
                yield number, why
        else:
            yield number, "a header without a path above it"


def _begin(line: str, rules: list[Rule]) -> str | None:
    source = patterns.parse(line)
    if source is None or source.names.count("splat") > 1:
        return f"expected a path or an https URL with at most one *, got {line}"
    if len(rules) >= _MOST:
        return f"more than {_MOST} rules"
    rules.append(Rule(source))
    return None


def _take(line: str, rule: Rule) -> str | None:
    if line.startswith("!"):
        name = line[1:].strip().lower()
        rule.removed.append(name)
        return None if name else "expected the name of a header after !"
    name, colon, value = (part.strip() for part in line.partition(":"))
    if not colon or not name or not value or " " in name or "\t" in name:
        return f"expected Name: value, got {line}"
    known = rule.added.get(name.lower())
    rule.added[name.lower()] = value if known is None else f"{known}, {value}"
    return None
