"""[dev]: how the config wants to be served."""

from __future__ import annotations

from emulator.config.model import Dev
from emulator.config.node import Node

_KEYS = (
    "container_engine",
    "enable_containers",
    "generate_types",
    "host",
    "inspector_ip",
    "inspector_port",
    "ip",
    "local_protocol",
    "port",
    "upstream_protocol",
)
_PROTOCOLS = ("http", "https")
_LAST_PORT = 65_535


def parse(top: Node) -> Dev:
    node = top.table("dev")
    if node is None:
        return Dev()
    node.only(_KEYS)
    node.flag("enable_containers")
    node.flag("generate_types")
    node.text("container_engine")
    local = node.choice("local_protocol", _PROTOCOLS) or "http"
    if local == "https":
        node.warn("https is not served here; the worker is reached by http", "local_protocol")
    return Dev(
        ip=node.text("ip"),
        port=node.whole("port", 0, _LAST_PORT),
        local_protocol=local,
        upstream_protocol=node.choice("upstream_protocol", _PROTOCOLS) or local,
        host=node.text("host"),
        inspector_port=node.whole("inspector_port", 0, _LAST_PORT),
        inspector_ip=node.text("inspector_ip"),
    )
