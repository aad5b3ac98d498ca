"""What a browser, or a script, is shown when the worker fails."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape
from ipaddress import ip_address

from emulator.errors import ConfigError, EmulatorError, WorkerError, WorkerGone
from emulator.guard.origins import is_loopback, parse_host
from emulator.tracebacks import FRAME, is_users

log = logging.getLogger("emulator")

_LARGEST_PAGE = 200_000
_LONGEST_MESSAGE = 8_000
_MOST_FRAMES = 5

_REFUSED = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*")
# Control characters, and those that turn the reading direction round, could make text look like something else.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_STYLE = """
:root { color-scheme: light dark; --back: #fbfaf8; --card: #fff; --ink: #24211d; --dim: #7a746b; --line: #e6e1d9;
  --red: #c2321f; --mark: #fdf0d8; }
@media (prefers-color-scheme: dark) { :root { --back: #191715; --card: #221f1c; --ink: #ece7df; --dim: #978f84;
  --line: #38332e; --red: #ff8a73; --mark: #3d3119; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 3rem 1.25rem; background: var(--back); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 56rem; margin: auto; }
h1 { margin: 0 0 .25rem; font-size: 1rem; font-weight: 600; color: var(--red); }
h2 { margin: 2rem 0 .5rem; font-size: .8rem; font-weight: 600; color: var(--dim); text-transform: uppercase;
  letter-spacing: .06em; }
.what { margin: 0; font-size: 1.5rem; line-height: 1.35; font-weight: 600; white-space: pre-wrap;
  overflow-wrap: anywhere; }
.place, .hint { margin: .75rem 0 0; }
.place { font-family: ui-monospace, monospace; font-size: .9rem; color: var(--dim); overflow-wrap: anywhere; }
.hint { padding-left: .75rem; border-left: 3px solid var(--red); white-space: pre-wrap; }
.frame, pre { border: 1px solid var(--line); border-radius: .5rem; background: var(--card); }
.frame { margin: 0 0 .5rem; overflow: hidden; }
.frame p { margin: 0; padding: .5rem .9rem; font: .8rem/1.5 ui-monospace, monospace; color: var(--dim);
  overflow-wrap: anywhere; }
.frame b { color: var(--ink); }
.frame code { display: block; padding: .5rem .9rem; overflow-x: auto; background: var(--mark); white-space: pre; }
pre { margin: 0; padding: .9rem; overflow-x: auto; color: var(--dim); }
pre, code { font: .85rem/1.6 ui-monospace, monospace; }
pre b { font-weight: 600; color: var(--ink); }
"""

# What failed to load is good again as soon as there is no error; what was raised may be as soon as something changes.
_COME_BACK = """
let shown;
const isMended = document.documentElement.dataset.failed === "load" ? (error) => error === null : () => false;
const look = async () => {
  try {
    const { worker } = await (await fetch("/cdn-cgi/local/health", { cache: "no-store" })).json();
    const now = JSON.stringify([worker.generation, worker.error]);
    if (isMended(worker.error) || now !== (shown ??= now)) location.replace(location.pathname + location.search);
  } catch {}
};
look();
setInterval(look, 1000);
"""


@dataclass(frozen=True)
class Explained:
    """An answer to send: its headers, without the length, and its text."""

    headers: tuple[tuple[str, str], ...]
    body: str


@dataclass(frozen=True)
class _Frame:
    place: str
    function: str
    source: str


@dataclass(frozen=True)
class _Said:
    """What `error_page` and `error_text` have in common."""

    title: str
    message: str
    kind: str = ""
    trace: str = ""
    place: str | None = None
    hint: str | None = None


def explain(
    error: EmulatorError,
    headers: Mapping[str, str],
    *,
    client: str,
    live: bool,
    again: bool = False,
    remedy: str = "put it right and save",
) -> Explained:
    """
    `error` for whoever sent these headers: a page or text, in full or, to strangers, under an id only.

    `live` says that the error stays until the worker is loaded anew, `again` that the request may be made again then;
    such a page comes back by itself. `remedy` is how that comes about.
    """
    as_html = wants_html(headers)
    again = again and as_html
    if may_see_details(client, headers.get("host")):
        said = _details(error, live=live, again=again, remedy=remedy)
    else:
        said, live, again = _withheld(error), False, False
    if as_html:
        return Explained(page_headers(live=live or again), error_page(**vars(said), live=live, again=again))
    return Explained(text_headers(), error_text(**vars(said)))


def wants_html(headers: Mapping[str, str]) -> bool:
    """Whether a browser asks. Programs that take anything are better served with text."""
    if "curl/" in headers.get("user-agent", ""):
        return False
    for offer in headers.get("accept", "").split(","):
        kind, *options = offer.split(";")
        if kind.strip().lower() == "text/html":
            return not any(map(_REFUSED.fullmatch, options))
    return False


def may_see_details(client_host: str, host_header: str | None) -> bool:
    """Code and paths are shown on this machine only, under a name no foreign page can have."""
    host = parse_host(host_header or "")
    if host is None or not is_loopback(host.name):
        return False
    try:
        address = ip_address(client_host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def page_headers(*, live: bool = False) -> tuple[tuple[str, str], ...]:
    """The headers of an error page: it may run its own script and style, and nothing else."""
    script = f"script-src {_hash_of(_COME_BACK)}; connect-src 'self'; " if live else ""
    policy = (
        f"default-src 'none'; {script}style-src {_hash_of(_STYLE)}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    return (
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", policy),
        *_common_headers(),
    )


def text_headers() -> tuple[tuple[str, str], ...]:
    """The headers of an error in plain text."""
    return (("content-type", "text/plain; charset=utf-8"), *_common_headers())


def error_page(
    *,
    title: str,
    kind: str,
    message: str,
    trace: str,
    place: str | None = None,
    hint: str | None = None,
    live: bool = False,
    again: bool = False,
) -> str:
    """One HTML page that needs nothing else, of at most 200 kB, with the user's own frames first."""
    page = ""
    failed = "load" if live else "request" if again else None
    for size in (64_000, 16_000, 4_000, 1_000):
        page = _document(title[:200], _summary(kind, message), _clip(trace, size), place, hint, failed)
        if len(page.encode("utf-8", "replace")) <= _LARGEST_PAGE:
            break
    return page


def error_text(
    *, title: str, kind: str, message: str, trace: str, place: str | None = None, hint: str | None = None
) -> str:
    """The same for a terminal or a log."""
    summary = _summary(kind, message)
    at = f"\n  at {place}" if place else ""
    parts = [title, summary + at, _clip(trace, 64_000).rstrip(), hint or ""]
    return _visible("\n\n".join(part for part in parts if part) + "\n")


def _details(error: EmulatorError, *, live: bool, again: bool, remedy: str) -> _Said:
    hint = _hint(error, remedy if live or again else None)
    said = _Said(title=_title(error, live=live), message=str(error), hint=hint)
    if not isinstance(error, WorkerError):
        return said
    frames = _users_frames(error.trace)
    place = frames[-1].place if frames else None
    return replace(said, message=error.message, kind=error.kind, trace=error.trace, place=place)


def _withheld(error: EmulatorError) -> _Said:
    known_as = secrets.token_hex(4)
    log.error("error %s was kept from a client elsewhere: %s", known_as, error)
    hint = "The details are in the emulator's terminal, under this number."
    return _Said(title="The worker failed", message=f"Internal error {known_as}", hint=hint)


def _title(error: EmulatorError, *, live: bool) -> str:
    match error:
        case WorkerGone():
            return "The worker's process ended"
        case ConfigError():
            return "The config is wrong"
        case WorkerError():
            return "The worker could not be loaded" if live else "The worker raised an exception"
        case _:
            return "The request could not be served"


def _hint(error: EmulatorError, remedy: str | None) -> str | None:
    if remedy is not None:
        return f"{remedy[0].upper()}{remedy[1:]}; a browser that shows this page then reloads it."
    if isinstance(error, WorkerGone):
        return "A new process is on its way; try again."
    return None


def _document(title: str, summary: str, trace: str, place: str | None, hint: str | None, failed: str | None) -> str:
    """`failed` is what the page waits to be put right, if it comes back by itself."""
    waits = f' data-failed="{failed}"' if failed else ""
    parts = [
        f'<!doctype html>\n<html lang="en"{waits}>\n<meta charset="utf-8">\n<title>{_html(title)}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style>",
        f'<main>\n<h1>{_html(title)}</h1>\n<p class="what">{_html(summary)}</p>',
        f'<p class="place">{_html(place[:1_000])}</p>' if place else "",
        f'<p class="hint">{_html(hint[:2_000])}</p>' if hint else "",
        *_trace_sections(trace),
        "</main>",
        f"<script>{_COME_BACK}</script>" if failed else "",
        "</html>\n",
    ]
    return "\n".join(part for part in parts if part)


def _trace_sections(trace: str) -> Iterator[str]:
    """The innermost frames of the user's first, then the traceback as Python prints it."""
    frames = _users_frames(trace)[: -_MOST_FRAMES - 1 : -1]
    if frames:
        yield "<h2>Your code</h2>"
        yield from map(_card, frames)
    if trace.strip():
        yield f"<h2>Traceback</h2>\n<pre>{_marked(trace.rstrip())}</pre>"


def _card(frame: _Frame) -> str:
    inside = f" in {_html(frame.function)}" if frame.function else ""
    source = f"<code>{_html(frame.source)}</code>" if frame.source else ""
    return f'<div class="frame"><p><b>{_html(frame.place)}</b>{inside}</p>{source}</div>'


def _marked(trace: str) -> str:
    """The lines of the traceback; the user's own and the last stand out."""
    lines = trace.split("\n")
    marked, is_own = [], False
    for number, line in enumerate(lines):
        found = FRAME.match(line)
        if found:
            is_own = is_users(found["file"])
        elif not line.startswith((" ", "\t")):
            is_own = False
        stands_out = line.strip() and (is_own or number == len(lines) - 1)
        marked.append(f"<b>{_html(line)}</b>" if stands_out else _html(line))
    return "\n".join(marked)


def _users_frames(trace: str) -> list[_Frame]:
    """The frames of the last exception that are in the user's own files, outermost first."""
    last = re.split(r"^[^\S\n]*Traceback \(most recent call last\):$", trace, flags=re.MULTILINE)[-1]
    lines = last.split("\n")
    frames = []
    for number, line in enumerate(lines):
        found = FRAME.match(line)
        if found and is_users(found["file"]):
            source = "\n".join(_source_after(lines[number + 1 :]))
            frames.append(_Frame(f"{found['file']}:{found['line']}", found["name"] or "", source))
    return frames


def _source_after(lines: list[str]) -> Iterator[str]:
    """The lines of source and the carets below them, without their margin."""
    for line in lines[:6]:
        if not line.startswith("    ") or FRAME.match(line):
            return
        yield line[4:]


def _summary(kind: str, message: str) -> str:
    whole = f"{kind}: {message}" if kind and message else kind or message
    return whole if len(whole) <= _LONGEST_MESSAGE else whole[:_LONGEST_MESSAGE] + " […]"


def _clip(text: str, size: int) -> str:
    if len(text) <= size:
        return text
    return f"{text[: size // 2]}\n  […]\n{text[-size // 2 :]}"


def _html(text: str) -> str:
    return escape(_visible(text))


def _visible(text: str) -> str:
    return _INVISIBLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _common_headers() -> tuple[tuple[str, str], ...]:
    return (
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    )


def _hash_of(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
