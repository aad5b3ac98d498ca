"""One run of the emulator on a folder, from its start to its end, however that comes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

EMULATOR = ("-m", "emulator")


class Life:
    """Serves the worker in a folder, ready when it is made. What it prints is in `out.log`: a pipe would fill up."""

    def __init__(
        self,
        folder: Path,
        program: tuple[str, ...] = EMULATOR,
        *,
        options: tuple[str, ...] = ("--no-reload",),
        **variables: str,
    ) -> None:
        began = time.monotonic()
        arguments = ["dev", "-c", str(folder / "wrangler.toml"), "--port", "0", *options]
        self.folder = folder
        self._log = folder / "out.log"
        with self._log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, *program, *arguments],
                stdout=out,
                stderr=out,
                env={**os.environ, "KILL_LOG": str(folder / "lines.txt"), **variables},
                start_new_session=True,
            )
        self.base = self._ready()
        self.ready_after = time.monotonic() - began

    def _ready(self) -> str:
        """Where it listens; empty when it ended before it did."""
        while "Ready on " not in (text := self._log.read_text()):
            if self.is_over:
                return ""
            time.sleep(0.005)
        return text.partition("Ready on ")[2].split()[0]

    @property
    def printed(self) -> str:
        """All that it has shown."""
        return self._log.read_text()

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None

    def get(self, path: str, *, patience: float = 10) -> Any:
        """What a route answers, of JSON; None when it says no, or nothing, because the server has gone."""
        try:
            with urlopen(f"{self.base}/{path}", timeout=patience) as answer:
                return json.loads(answer.read())
        except HTTPError as refusal:
            refusal.close()
            return None
        except (OSError, HTTPException, ValueError):
            return None

    def advance(self, by: str) -> None:
        """Move its clock."""
        body = json.dumps({"advance": by}).encode()
        request = Request(f"{self.base}/cdn-cgi/local/clock", body, {"content-type": "application/json"})
        urlopen(request, timeout=120).close()

    def kill(self) -> None:
        """Both processes, as `kill -9` does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_worker(self) -> None:
        """The user's process only."""
        for child in self._children():
            os.kill(child, signal.SIGKILL)

    def stop(self) -> int:
        """The exit code after SIGTERM."""
        self.process.terminate()
        return self.process.wait(20)

    def megabytes(self) -> float:
        """The memory of its processes; what they share counts once."""
        return sum(map(_proportional_kilobytes, [self.process.pid, *self._children()])) / 1024

    def cpu_percent(self, seconds: float) -> float:
        """Of one core, while so much time passes."""
        before = _cpu_seconds(self.process.pid)
        time.sleep(seconds)
        return (_cpu_seconds(self.process.pid) - before) / seconds * 100

    def _children(self) -> list[int]:
        return list(map(int, Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()))


def _proportional_kilobytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
