"""What `emulator dev` says once it serves: the banner, where it listens, what is missing, what passed meanwhile."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from emulator.guard.origins import is_loopback, spelled
from emulator.launch import passed_over
from emulator.server import Emulator


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where it listens."""

    ip: str
    port: int

    @property
    def url(self) -> str:
        host = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"http://{host}:{self.port}"


def remedy(*, reloads: bool, has_keys: bool) -> str:
    """What to do that code which was wrong is served."""
    if reloads:
        return "put it right and save"
    again = "press r in the emulator's terminal" if has_keys else "start the emulator again"
    return f"put it right, save, and {again}"


def greet(
    emulator: Emulator, address: Address, *, milliseconds: float, has_token: bool, in_process: bool, remedy: str
) -> None:
    """Say it all, `Ready` last of the banner; `milliseconds` is how long the start took."""
    for line in emulator.banner():
        emulator.terminal.plain(line)
    emulator.terminal.ready(
        f"Ready on {address.url}  ({milliseconds:.0f} ms)",
        url=address.url,
        ip=address.ip,
        port=address.port,
        pid=os.getpid(),
        milliseconds=milliseconds,
    )
    if has_token:
        _say_whose_the_routes_are(emulator, address)
    if in_process:
        _say_what_is_passed_over(emulator)
    _say_what_is_not_served(emulator, remedy)
    emulator.terminal.flush()
    for line in emulator.attendance.lines():
        emulator.terminal.plain(line, colour="yellow")


def _say_whose_the_routes_are(emulator: Emulator, address: Address) -> None:
    is_local = is_loopback(spelled(address.ip))
    whose = "this machine's" if is_local else "everybody's; nothing is encrypted on the way"
    emulator.terminal.plain(f"/cdn-cgi/ asks for the token; the worker's own routes are {whose}", colour="yellow")


def _say_what_is_passed_over(emulator: Emulator) -> None:
    for worker in emulator.workers:
        folder = passed_over(worker.config.root)
        if folder is not None:
            told = f"in process, {worker.name} runs on {sys.prefix} and not on {folder}, whose packages it does not see"
            emulator.terminal.plain(told, colour="yellow")


def _say_what_is_not_served(emulator: Emulator, remedy: str) -> None:
    for worker in emulator.workers:
        if worker.error is not None:
            told = f"{worker.name} could not be loaded, see above; {remedy}, and it is served"
            emulator.terminal.plain(told, colour="red")
