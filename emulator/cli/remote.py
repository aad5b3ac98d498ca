"""Ask the emulator that runs: where it is, and what it answers."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from emulator.cli.options import TOKEN
from emulator.cli.whereabouts import Place, noted, project_of
from emulator.errors import EmulatorError

_PORT = 8787
# By number: the name may lead to a stranger who listens on the other address only.
_HOSTS = ("127.0.0.1", "::1")
_SECONDS = 60
_LOOK_EVERY = 1.0
_V4 = "/cdn-cgi/client/v4/accounts/local"
_CONFIGS = "/cdn-cgi/local/configs"
_NO_INSTANCE = 10400
# It has none, or a wrong one too often.
_NEEDS_TOKEN = (401, 429)
NOTHING = object()
"""No body."""


class NoInstance(EmulatorError):
    """The workflow has no instance of that id."""


class Remote:
    """
    The emulator on a port; without one that of the project one is in, or, outside of any project, the usual port.

    Raises EmulatorError where nobody serves the project: the usual port may be that of another one, whose messages
    and instances nobody meant.
    """

    def __init__(self, port: int | None = None) -> None:
        place = noted(Path.cwd())
        self.port = port or (_PORT if place is None else place.port)
        self._hosts = _hosts(place, self.port)
        project = project_of(Path.cwd()) if port is None and place is None else None
        if project is not None:
            self._refuse_others(project)

    def call(
        self,
        method: str,
        path: str,
        body: Any = NOTHING,
        *,
        fails: tuple[int, ...] = (),
        meanwhile: Callable[[], None] | None = None,
    ) -> Any:
        """
        What a local route answers. Raises EmulatorError for all statuses over 399 but those in `fails`.

        With `meanwhile` the answer is waited for without end; that is called about once a second, and may raise.
        """
        status, answer = self._exchange(method, path, body, meanwhile)
        if status >= 400 and status not in fails:
            raise EmulatorError(str(answer.get("error", answer)) if isinstance(answer, dict) else f"HTTP {status}")
        return answer

    def api(self, method: str, path: str, body: Any = NOTHING, *, query: Mapping[str, Any] | None = None) -> Any:
        """The result of an operation of the REST API. Raises EmulatorError with the API's reason."""
        return self.page(method, path, body, query=query)["result"]

    def page(self, method: str, path: str, body: Any = NOTHING, *, query: Mapping[str, Any] | None = None) -> Any:
        """The same with all that stands around the result."""
        asked = {key: value for key, value in (query or {}).items() if value is not None}
        _, answer = self._exchange(method, _V4 + path + (f"?{urlencode(asked)}" if asked else ""), body)
        if not isinstance(answer, dict) or "success" not in answer:
            raise self._stranger()
        if not answer["success"]:
            (error, *_) = answer["errors"]
            kind = NoInstance if error["code"] == _NO_INSTANCE else EmulatorError
            raise kind(error.get("error_chain", [error])[0]["message"])
        return answer

    def _refuse_others(self, project: Path) -> None:
        """Nothing noted where the emulator of this project is. With --persist-to it notes nothing, but says so."""
        status, served = self._exchange("GET", _CONFIGS, NOTHING)
        match served:
            case _ if status in _NEEDS_TOKEN:
                there = "asks for a token before it says what it serves"
            case [{"config": str()}, *_]:
                configs = [Path(each["config"]) for each in served]
                if project.parent in [each.parent for each in configs]:
                    return
                there = f"serves {', '.join(map(str, configs))}"
            case _:
                raise self._stranger()
        raise EmulatorError(
            f"no emulator serves {project}; the one on port {self.port} {there}:"
            f" start yours with `emulator dev`, or ask that one with --port {self.port}"
        )

    def _exchange(
        self, method: str, path: str, body: Any, meanwhile: Callable[[], None] | None = None
    ) -> tuple[int, Any]:
        content = None if body is NOTHING else json.dumps(body).encode()
        headers = {**_authorization(), **({} if content is None else {"content-type": "application/json"})}
        connection = self._connected()
        try:
            connection.request(method, path, content, headers)
            while meanwhile is not None and not select.select([connection.sock], [], [], _LOOK_EVERY)[0]:
                meanwhile()
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except TimeoutError as error:
            raise EmulatorError(f"the emulator on port {self.port} has not answered for {_SECONDS} s") from error
        except (OSError, HTTPException, ValueError) as error:
            raise self._stranger() from error
        finally:
            connection.close()

    def _connected(self) -> HTTPConnection:
        for host in self._hosts:
            connection = HTTPConnection(host, self.port, timeout=_SECONDS)
            try:
                connection.connect()
            except OSError:
                connection.close()
            else:
                return connection
        raise EmulatorError(
            f"no emulator runs on port {self.port}; start it with `emulator dev`, or give the port"
            " that its line `Ready on …` names: --port NUMBER"
        )

    def _stranger(self) -> EmulatorError:
        return EmulatorError(f"what runs on port {self.port} does not answer like an emulator; say where with --port")


def _hosts(place: Place | None, port: int) -> tuple[str, ...]:
    """The one address that the emulator of this folder has noted, if it is the one meant; else this machine's own."""
    if place is None or place.ip is None or place.port != port:
        return _HOSTS
    return (place.ip,)


def _authorization() -> dict[str, str]:
    token = os.environ.get(TOKEN, "").strip()
    return {"authorization": f"Bearer {token}"} if token else {}


def path_of(*parts: str) -> str:
    """A path of these parts, each spelled so that nothing in it can end it."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)
