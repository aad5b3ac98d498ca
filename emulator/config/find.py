"""Find the config of a folder, as the platform's own tools do."""

from __future__ import annotations

from pathlib import Path

NAMES = ("wrangler.json", "wrangler.jsonc", "wrangler.toml")


def find(folder: Path) -> Path | None:
    """
    The config for a folder: in it or above.

    The format counts before the distance: a wrangler.json two levels up wins over a wrangler.toml right here.
    """
    here = folder.resolve()
    for name in NAMES:
        for each in (here, *here.parents):
            if (each / name).is_file():
                return each / name
    return None
