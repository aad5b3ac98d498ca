"""URLs as the platform writes them. Pure."""

from __future__ import annotations

from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
_PATH = "/:@!$&'()*+,;=-._~%|[]\\"
_QUERY = _PATH + "?^`{}"


def parse(url: str, base: str | None = None) -> SplitResult:
    """The parts of an absolute URL in normal form. Raises TypeError for anything else."""
    text = url.strip()
    try:
        found = urlsplit(urljoin(base, text) if base else text)
        port = found.port
    except ValueError:
        raise TypeError(f"Invalid URL: {url}") from None
    scheme = found.scheme.lower()
    if not scheme or (scheme in PORTS and not found.hostname):
        raise TypeError(f"Invalid URL: {url}")
    if scheme not in PORTS:
        return found._replace(scheme=scheme)
    return SplitResult(
        scheme,
        _authority(found, None if port == PORTS[scheme] else port),
        quote(_without_dots(found.path), safe=_PATH) or "/",
        quote(found.query, safe=_QUERY),
        quote(found.fragment, safe=_QUERY + "#"),
    )


def normal(url: str, base: str | None = None) -> str:
    """An absolute URL in normal form. Raises TypeError for anything else."""
    return urlunsplit(parse(url, base))


def _authority(found: SplitResult, port: int | None) -> str:
    host = found.hostname or ""
    if not host.isascii():
        host = host.encode("idna").decode()
    if " " in host:
        raise TypeError(f"Invalid URL: {urlunsplit(found)}")
    user = found.netloc.rpartition("@")[0]
    return f"{user}@" * bool(user) + (f"[{host}]" if ":" in host else host) + (f":{port}" if port is not None else "")


def _without_dots(path: str) -> str:
    kept: list[str] = []
    parts = path.split("/")
    for part in parts[1:]:
        if part == "..":
            kept = kept[:-1]
        elif part != ".":
            kept.append(part)
    if parts[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
