import io
from typing import Any

class HttpStatusError(OSError):
    status: int
    status_text: str
    url: str

class BodyUsedError(OSError): ...
class AbortError(OSError): ...

FetchResponse: Any

async def pyfetch(url: Any, /, *, signal: Any = None, fetcher: Any = None, **options: Any) -> Any: ...
def open_url(url: str) -> io.StringIO: ...
