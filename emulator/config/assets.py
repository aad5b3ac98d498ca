"""[assets]: static files beside the worker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from emulator.config.environments import Scope
from emulator.config.model import Assets
from emulator.config.node import Node

_KEYS = ("binding", "directory", "html_handling", "not_found_handling", "run_worker_first")
_HTML = ("auto-trailing-slash", "drop-trailing-slash", "force-trailing-slash", "none")
_NOT_FOUND = ("404-page", "none", "single-page-application")
_MOST_RULES, _LONGEST_RULE = 100, 100


def parse(scope: Scope, root: Path) -> Assets | None:
    """The static files of a worker; the folder may be missing still."""
    node = scope.of("assets").table("assets")
    if node is None:
        return None
    node.only(_KEYS)
    if "site" in scope.top:
        node.error("a worker has either assets or site; keep one")
    if scope.is_served and "main" not in scope.of("main"):
        _check_alone(node)
    return Assets(
        directory=_directory(node, root),
        binding=node.need("binding") if "binding" in node else None,
        html_handling=node.choice("html_handling", _HTML) or _HTML[0],
        not_found_handling=node.choice("not_found_handling", _NOT_FOUND) or "none",
        run_worker_first=_worker_first(node),
    )


def _check_alone(node: Node) -> None:
    """Without a worker nobody would use these."""
    for key in ("binding", "run_worker_first"):
        if key in node:
            node.error('there is no worker; name its module, main = "src/entry.py", or leave this out', key)


def _directory(node: Node, root: Path) -> Path | None:
    found = node.need("directory")
    path = (root / found).absolute()
    if found and path.exists() and not path.is_dir():
        node.error(f"{path} is not a folder", "directory")
    return path if found else None


def _worker_first(node: Node) -> bool | tuple[str, ...]:
    value = node.value.get("run_worker_first", False)
    if isinstance(value, bool):
        if value and "binding" not in node:
            node.warn("without a binding the worker cannot reach the assets", "run_worker_first")
        return value
    rules = node.texts("run_worker_first")
    if isinstance(value, list):
        for index, why in _wrong_rules(rules):
            node.error(why, "run_worker_first", *index)
    return rules


def _wrong_rules(rules: Sequence[str]) -> Iterator[tuple[tuple[int, ...], str]]:
    if not any(rule.startswith("/") for rule in rules):
        yield (), "expected at least one rule that begins with /"
    if len(rules) > _MOST_RULES:
        yield (), f"expected at most {_MOST_RULES} rules, got {len(rules)}"
    for index, rule in enumerate(rules):
        if not rule.startswith(("/", "!/")):
            yield (index,), f'a rule begins with / or !/, not as "{rule}"'
        elif len(rule) > _LONGEST_RULE:
            yield (index,), f"a rule has at most {_LONGEST_RULE} characters"
        elif rule in rules[:index]:
            yield (index,), f'"{rule}" is there already'
        else:
            yield from (((index,), f'"{wider}" says this already') for wider in rules if _covers(wider, rule))


def _covers(wider: str, rule: str) -> bool:
    return wider != rule and wider.endswith("*") and rule.startswith(wider[:-1])
