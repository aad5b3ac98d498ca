"""The project that `emulator init` writes: small, commented, working."""

from __future__ import annotations

import re
from pathlib import Path

import tomlkit

from emulator.errors import EmulatorError

_HERE = Path(__file__).parent
# What stands here → where it goes. A .gitignore of that name would hide files from this project's own git.
_FILES = {
    "wrangler.toml": "wrangler.toml",
    "src/entry.py": "src/entry.py",
    "gitignore": ".gitignore",
    "pyrightconfig.json": "pyrightconfig.json",
    "editors/launch.json": ".vscode/launch.json",
    "editors/emulator_dev.run.xml": ".run/emulator dev.run.xml",
}
_LONGEST_NAME = 63


def write(folder: Path) -> list[Path]:
    """Write the files into the folder and say which; raises EmulatorError rather than replace one."""
    targets = {source: folder / target for source, target in _FILES.items()}
    for target in targets.values():
        if target.exists():
            raise EmulatorError(f"{target} exists already, and nothing was written; give the name of a new folder")
    try:
        for source, target in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_content(source, worker_name(folder)), "utf-8")
    except OSError as error:
        raise EmulatorError(f"{error.filename}: {error.strerror}; choose a folder that can be written") from error
    return list(targets.values())


def _content(source: str, name: str) -> str:
    text = (_HERE / source).read_text("utf-8")
    if source != "wrangler.toml":
        return text
    config = tomlkit.parse(text)
    config["name"] = name
    return tomlkit.dumps(config)


def worker_name(folder: Path) -> str:
    """The folder's name as a worker may be called: lower-case letters, digits and hyphens."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower())[:_LONGEST_NAME].strip("-")
    return name or "my-worker"
