"""The local routes: health, the clock, the triggers of crons and queues."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from emulator import __version__, cron, duration
from emulator.api.envelope import ApiError, timestamp
from emulator.api.explorer import PREFIXES, explorer_routes
from emulator.api.heard import while_heard
from emulator.api.held import addressed, known, standing
from emulator.api.operation import read_json
from emulator.api.pages import instant
from emulator.api.rest import PREFIX, no_route, rest_mount
from emulator.bindings import queues
from emulator.cron import words
from emulator.errors import EmulatorError, StoreError, WorkerError
from emulator.guard.origins import OURS
from emulator.handlers.email import email_of
from emulator.models import Outcome, Tick
from emulator.runtime import values
from emulator.server import Emulator

_EMAIL = ("/cdn-cgi/local/email", "/cdn-cgi/handler/email")
_SCHEDULED = ("/cdn-cgi/local/scheduled", "/cdn-cgi/handler/scheduled", "/cdn-cgi/mf/scheduled")


class BadRequest(EmulatorError):
    """The request does not say what it should."""


class Local:
    """The routes under /cdn-cgi/local, and the older spellings of the scheduled one."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def routes(self) -> list[Route]:
        return [
            Route(OURS, _explained(self.index)),
            Route("/cdn-cgi/local/health", _explained(self.health)),
            Route("/cdn-cgi/local/configs", _explained(self.configs)),
            *(Route(path, _explained(self.scheduled), methods=["GET", "POST"]) for path in _SCHEDULED),
            *(Route(path, _explained(self.email), methods=["POST"]) for path in _EMAIL),
            Route("/cdn-cgi/local/crons", _explained(self.crons)),
            Route("/cdn-cgi/local/queues", _explained(self.queues)),
            Route("/cdn-cgi/local/queues/{queue:path}/messages", _explained(self.push), methods=["POST"]),
            Route("/cdn-cgi/local/clock", _explained(self.clock), methods=["GET", "POST"]),
        ]

    async def index(self, request: Request) -> Response:
        """What there is, one path a line."""
        documents = {f"{PREFIX}/openapi.json": "the platform's REST API", PREFIXES[0]: "the local explorer's API"}
        told = [f"{path}  ({what}; this is its OpenAPI document)" for path, what in documents.items()]
        paths = sorted({re.sub(r"{(\w+)(:\w+)?}", lambda found: found[1].upper(), each.path) for each in self.routes()})
        return PlainTextResponse(
            "\n".join(["Everything under /cdn-cgi/ is the emulator's own:", *paths[1:], *told, ""])
        )

    async def health(self, request: Request) -> Response:
        return JSONResponse(_health(self._emulator))

    async def configs(self, request: Request) -> Response:
        """Which projects are served, so that a command of another one can tell."""
        return JSONResponse([{"worker": each.name, "config": str(each.config.path)} for each in self._emulator.workers])

    async def scheduled(self, request: Request) -> Response:
        """Run a scheduled handler now."""
        query = request.query_params
        worker = _named(self._emulator, query.get("worker"))
        time = _moment_of(query.get("time")) or self._emulator.clock.now()
        outcome = await self._emulator.tick(worker, Tick(cron=query.get("cron", ""), time=time))
        status = 200 if outcome.is_ok else 500
        if query.get("format") == "json":
            answer = {"outcome": outcome.outcome, "noRetry": bool(outcome.result.get("noRetry", False))}
            return JSONResponse(answer, status)
        return PlainTextResponse(outcome.outcome, status)

    async def email(self, request: Request) -> Response:
        """Hand an e-mail to a worker: the body is the message."""
        query = request.query_params
        worker = _named(self._emulator, query.get("worker"))
        now = self._emulator.clock.now()
        email = email_of(query.get("from"), query.get("to"), await request.body(), at=now)
        outcome = await self._emulator.email(worker, email)
        if query.get("format") == "json":
            return JSONResponse({"outcome": outcome.outcome, **outcome.result}, 200 if outcome.is_ok else 500)
        return _told_of_email(outcome)

    async def push(self, request: Request) -> Response:
        """Send one message."""
        message = await read_json(request)
        if not isinstance(message, dict) or "body" not in message:
            raise BadRequest('a message is {"body", "content_type"?, "delay_seconds"?}')
        options = {
            "contentType": message.get("content_type", "json"),
            **({"delaySeconds": message["delay_seconds"]} if "delay_seconds" in message else {}),
        }
        queue = addressed(self._emulator, request.path_params["queue"])
        metrics = await queues.call(self._emulator.broker, queue, "send", [message["body"], options])
        await self._emulator.store.durable()
        return JSONResponse({"ok": True, **values.shown(values.encode(metrics))})

    async def clock(self, request: Request) -> Response:
        """What time it is; with POST, after moving it. Who asked for a move and hangs up has it end where it is."""
        if request.method == "POST":
            await while_heard(request, _move(self._emulator, await read_json(request)))
        return JSONResponse(_clock(self._emulator))

    async def crons(self, request: Request) -> Response:
        return JSONResponse(_crons(self._emulator))

    async def queues(self, request: Request) -> Response:
        return JSONResponse([standing(self._emulator, name) for name in known(self._emulator)])


def local_app(emulator: Emulator) -> Starlette:
    """Everything of ours, and a clear 404 for the rest of /cdn-cgi/."""
    return Starlette(
        routes=[*Local(emulator).routes(), *explorer_routes(emulator), rest_mount(emulator)],
        exception_handlers={404: _not_found, 405: _not_allowed},
    )


def _explained(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except WorkerError as error:
            return JSONResponse({"ok": False, "error": str(error)}, 503)
        except StoreError as error:
            return JSONResponse({"ok": False, "error": str(error)}, 507)
        except ApiError as error:
            return JSONResponse({"ok": False, "error": str(error)}, error.kind.status)
        except (EmulatorError, TypeError, ValueError) as error:
            return JSONResponse({"ok": False, "error": str(error)}, 400)

    return answer


def _told_of_email(outcome: Outcome) -> Response:
    if not outcome.is_ok:
        why = "" if outcome.error is None else f": {outcome.error.words}"
        return PlainTextResponse(f"the email handler failed{why}\n", 500)
    if "rejectReason" in outcome.result:
        return PlainTextResponse(f"the worker rejected the email: {outcome.result['rejectReason']}\n", 400)
    return PlainTextResponse("the worker processed the email\n")


def _health(emulator: Emulator) -> dict[str, Any]:
    """For scripts: is it up, what does it serve?"""
    worker = emulator.workers[0]
    return {
        "ok": all(each.error is None for each in emulator.workers),
        "version": __version__,
        "worker": {
            "generation": worker.current.number if worker.current is not None else None,
            "error": None if worker.error is None else str(worker.error),
        },
        "uptime_ms": round((monotonic() - emulator.started_at) * 1000),
    }


async def _move(emulator: Emulator, wanted: Any) -> None:
    match wanted:
        case {"advance": by}:
            await emulator.timekeeper.advance(duration.parse(by))
        case {"set": str(moment)}:
            await emulator.timekeeper.move_to(instant(moment, "set"))
        case {"reset": True}:
            emulator.timekeeper.reset()
        case _:
            raise BadRequest('say {"advance": "3 days"}, {"set": an ISO time} or {"reset": true}')


def _crons(emulator: Emulator) -> list[dict[str, Any]]:
    """Each cron of a worker or of a workflow, in words, with its next tick where they fire by themselves."""
    return [
        {
            **_cron(worker.name, workflow, expression, ticks.get(worker.name, {}).get(expression)),
            "fires": emulator.options.crons,
        }
        for worker in emulator.workers
        for workflow, expressions, ticks in (
            (None, worker.config.crons, emulator.timetable.crons()),
            *((each.name, each.schedules, emulator.timetable.schedules()) for each in worker.config.workflows),
        )
        for expression in expressions
    ]


def _cron(worker: str, workflow: str | None, expression: str, tick: datetime | None) -> dict[str, Any]:
    return {
        "cron": expression,
        "words": words.explain(cron.parse(expression)),
        "next": None if tick is None else timestamp(tick),
        "worker": worker,
        "workflow": workflow,
    }


def _clock(emulator: Emulator) -> dict[str, Any]:
    now = emulator.clock.now()
    offset = now - datetime.now(UTC)
    to = emulator.clock.moving_to
    return {
        "now": timestamp(now),
        "offset_ms": _milliseconds(offset),
        "moving_to": None if to is None else timestamp(to),
    }


def _milliseconds(offset: timedelta) -> int:
    return round(offset / timedelta(milliseconds=1))


def _named(emulator: Emulator, name: str | None) -> Any:
    for worker in emulator.workers:
        if name is None or worker.name == name:
            return worker
    raise BadRequest(f'no worker is called "{name}"; there are {", ".join(worker.name for worker in emulator.workers)}')


def _moment_of(milliseconds: str | None) -> datetime | None:
    if milliseconds is None:
        return None
    try:
        return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadRequest(f"time is a number of milliseconds since 1970, got {milliseconds!r}") from error


async def _not_found(request: Request, error: Exception) -> Response:
    if request.url.path.startswith((PREFIX, *PREFIXES)):
        return await no_route(request, error)
    return PlainTextResponse(
        f"{request.url.path} is under /cdn-cgi/, where the emulator's own routes live; it has none of this name,"
        f" and {OURS} lists those there are\n",
        404,
    )


def _not_allowed(request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{request.method} is not what this route takes\n", 405)
