"""wrangler.toml, .json and .jsonc → a frozen Config; every complaint names file, key and line."""

from emulator.config.find import find
from emulator.config.load import load
from emulator.config.model import Assets, Config, Consumer, Dev, Producer, Route, Service, Unsupported, Workflow
from emulator.config.together import conflicts

__all__ = [
    "Assets",
    "Config",
    "Consumer",
    "Dev",
    "Producer",
    "Route",
    "Service",
    "Unsupported",
    "Workflow",
    "conflicts",
    "find",
    "load",
]
