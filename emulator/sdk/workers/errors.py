"""What can go wrong with a request or a response: all of it is an OSError, as in `pyodide.http`."""

from .body import BodyUsedError as BodyUsedError


class AbortError(OSError):
    """A request got no answer."""


class HttpStatusError(OSError):
    """The answer to a request was a 4xx or 5xx."""

    def __init__(self, status: int, status_text: str, url: str) -> None:
        whose = "Client" if status < 500 else "Server"
        super().__init__(f"{status} {whose} Error: {status_text} for url: {url}")
        self.status = status
        self.status_text = status_text
        self.url = url
