"""Requests and responses: headers, bodies, and what leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPMethod, HTTPStatus
from typing import Any

import pytest

from emulator.sdk.js.forms import Blob as JsBlob
from emulator.sdk.js.headers import Headers as JsHeaders
from emulator.sdk.js.objects import Object
from emulator.sdk.js.url import URLSearchParams
from emulator.sdk.js.web import Request as JsRequest
from emulator.sdk.js.web import Response as JsResponse
from emulator.sdk.workers import Blob, FormData, Request, Response
from emulator.sdk.workers.body import Body
from emulator.sdk.workers.buffers import Float32Array, Uint8Array
from emulator.sdk.workers.proxy import jsnull


async def streamed(*pieces: Any) -> AsyncIterator[Any]:
    for piece in pieces:
        yield piece


def incoming(headers: list[tuple[str, str]] = [], body: AsyncIterator[bytes] | None = None) -> Request:  # noqa: B006
    return Request._incoming("POST", "http://localhost/x?y=1", headers, body, None)


async def sent(response: Any) -> tuple[int, dict[str, str], bytes | None]:
    """What leaves, the body read to its end."""
    status, headers, body = response._outgoing()
    return status, dict(headers), await Body(body).read() if body is not None else None


@pytest.mark.parametrize(
    ("body", "content_type", "content"),
    [
        ("hé", "text/plain;charset=UTF-8", "hé".encode()),
        ("", "text/plain;charset=UTF-8", b""),
        (b"\x00\xff", None, b"\x00\xff"),
        (None, None, None),
        (jsnull, None, None),
        (URLSearchParams.new("a=1&b=x y"), "application/x-www-form-urlencoded;charset=UTF-8", b"a=1&b=x+y"),
        (JsBlob.new(["a", b"b"], type="text/css"), "text/css", b"ab"),
        (Uint8Array.new([1, 2, 256]), None, b"\x01\x02\x00"),
        (Float32Array.new([1]).buffer, None, b"\x00\x00\x80\x3f"),
        (iter(["a", b"b"]), None, b"ab"),
    ],
    ids=["str", "empty", "bytes", "None", "null", "params", "blob", "typed array", "buffer", "iterator"],
)
async def test_a_body_leaves_with_the_type_it_asks_for(body, content_type, content):
    """
    Each kind of body is sent as its bytes, with the content type JavaScript gives it.
    """
    status, headers, found = await sent(Response(body))

    assert (200, content_type, content) == (status, headers.get("content-type"), found)


async def test_an_async_generator_is_streamed():
    """
    A generator of bytes or str is no complete body: it leaves as an iterator, piece by piece.
    """
    response = Response(streamed("a", b"b", bytearray(b"c")), headers={"content-type": "text/event-stream"})

    status, headers, body = response._outgoing()

    assert (200, [("content-type", "text/event-stream")]) == (status, headers)
    assert [b"a", b"b", b"c"] == [piece async for piece in body]


@pytest.mark.parametrize(
    "body",
    [{"a": 1}, [1], 7, bytearray(b"x"), memoryview(b"x"), Blob("x"), Response("x"), object()],
    ids=lambda body: type(body).__name__,
)
def test_other_bodies_are_refused(body):
    """
    What the platform takes for no body is a TypeError that names the type.
    """
    with pytest.raises(TypeError, match=f"^Unsupported type in Response: {type(body).__name__}"):
        Response(body)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"status": 199}, ValueError),
        ({"status": 600}, ValueError),
        ({"status": 101}, ValueError),
        ({"status": 204, "body": "x"}, TypeError),
        ({"status": 304, "body": b"x"}, TypeError),
        ({"headers": {"a": "b\r\nset-cookie: c"}}, ValueError),
        ({"headers": {"a": "b\0"}}, ValueError),
        ({"headers": {"a b": "c"}}, ValueError),
        ({"headers": {"": "c"}}, ValueError),
        ({"headers": 7}, TypeError),
    ],
)
def test_a_response_that_could_not_be_sent_is_refused(arguments, error):
    """
    Statuses out of range, bodies where none may be, and headers that would smuggle others in fail when they are made.
    """
    with pytest.raises(error):
        Response(**arguments)


async def test_an_empty_body_is_no_body_where_none_may_be():
    """
    A 204 with an empty text leaves without a body.
    """
    assert (204, {}, None) == await sent(Response("", HTTPStatus.NO_CONTENT))


def test_a_web_socket_may_switch_protocols():
    """
    101 is a status when there is a web socket to go with it, which the response keeps.
    """
    socket = object()

    response = Response(None, status=101, web_socket=socket)

    assert (101, socket) == (response.status, response.web_socket)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-A": "1", "B": " 2 "}, [("x-a", "1"), ("b", "2")]),
        ([("a", "1"), ("A", "2")], [("a", "1, 2")]),
        ([("set-cookie", "a=1"), ("set-cookie", "b=2")], [("set-cookie", "a=1"), ("set-cookie", "b=2")]),
        ({"a": True, "b": 123, "c": None}, [("a", "true"), ("b", "123"), ("c", "undefined")]),
        (JsHeaders.new({"a": "1"}.items()), [("a", "1")]),
        (Object.fromEntries([["a", "1"]]), [("a", "1")]),
        ({}, []),
        (None, []),
    ],
)
def test_headers_leave_in_lower_case(headers, expected):
    """
    Headers may be a dict, pairs or `Headers`; values become text as in JavaScript, repetitions one line.
    """
    assert expected == Response(b"", headers=headers)._outgoing()[1]


@pytest.mark.parametrize(
    ("response", "text"),
    [
        (Response.json({"field": 42}), b'{"field": 42}'),
        (Response.from_json([None, "\u00e9"]), b'[null, "\\u00e9"]'),
        (Response.json(Object.fromEntries([["a", 1]])), b'{"a":1}'),
        (JsResponse.json({"a": 1}), b'{"a":1}'),
    ],
)
async def test_json_responses(response, text):
    """
    Python values are written as Python writes them, with spaces; JavaScript ones as JavaScript does.
    """
    assert (200, {"content-type": "application/json"}, text) == await sent(response)


async def test_json_keeps_the_content_type_it_is_given():
    """
    A content type in any case replaces application/json, and other headers are kept.
    """
    response = Response.json({}, 201, "Made", {"Content-Type": "application/problem+json", "x": "y"})

    assert (201, "Made") == (response.status, response.status_text)
    assert {"content-type": "application/problem+json", "x": "y"} == (await sent(response))[1]


def test_what_is_no_json_says_so():
    """
    The json module's own TypeError comes through.
    """
    with pytest.raises(TypeError, match="Object of type object is not JSON serializable"):
        Response.json(object())


async def test_json_reads_on_an_instance():
    """
    `response.json()` reads where `Response.json(data)` writes.
    """
    assert {"a": [1]} == await Response('{"a": [1]}').json()


@pytest.mark.parametrize(("status", "error"), [(200, ValueError), (304, ValueError), (302, None), (308, None)])
def test_redirects(status, error):
    """
    Only the redirect statuses redirect.
    """
    if error:
        with pytest.raises(error):
            Response.redirect("https://example.com", status)
        return

    assert (status, [("location", "https://example.com/")]) == Response.redirect(
        "https://example.com", status
    )._outgoing()[:2]


def test_a_redirect_needs_an_absolute_url():
    """
    A path is no place to redirect to.
    """
    with pytest.raises(TypeError, match="Invalid URL: /x"):
        Response.redirect("/x")


def test_how_messages_look():
    """
    The repr shows what matters and leaves out what is empty.
    """
    shown = "Response(status=200, status_text='OK', content_type='application/json')"

    assert shown == repr(Response.from_json({}, 200, "OK"))
    assert "Response(status=200)" == repr(Response())
    assert "Request(method='POST', url='https://test.com/')" == repr(Request("https://test.com", method="post"))


def test_a_javascript_response_is_wrapped():
    """
    A js.Response becomes a Response with the same content, and takes no options.
    """
    inner = JsResponse.new("x", status=201)

    assert 201 == Response(inner).status
    with pytest.raises(ValueError, match=r"^Expected no options when constructing Response from a js.Response$"):
        Response(inner, 200)


@pytest.mark.parametrize("read", ["text", "bytes", "json", "buffer", "blob", "form_data"])
@pytest.mark.parametrize("make", [lambda: incoming([], streamed(b"{}")), lambda: Response("{}")], ids=["in", "out"])
async def test_a_body_is_read_once(read, make):
    """
    Whoever reads a body after another gets OSError.
    """
    message = make()
    await message.text()

    assert message.body_used
    with pytest.raises(OSError, match=r"^Body already used$"):
        await getattr(message, read)()


async def test_no_body_can_be_read_again_and_again():
    """
    A request without a body has an empty text, `jsnull` for a body, and never counts as used.
    """
    request = incoming()

    assert "" == await request.text() == await request.text()
    assert request.body is jsnull
    assert not request.body_used


async def test_readers_of_an_arriving_body():
    """
    Text loses its byte order mark, JSON is plain Python, buffers and blobs hold the bytes.
    """
    request = incoming([("content-type", "a/b")], streamed(b"\xef\xbb\xbf[1", b"]"))
    copies = [request.clone() for _ in range(4)]

    assert "[1]" == await request.text()
    assert [1] == await copies[0].json()
    assert b"\xef\xbb\xbf[1]" == await copies[1].bytes()
    assert b"\xef\xbb\xbf[1]" == (await copies[2].buffer()).to_bytes()

    blob = await copies[3].blob()

    assert ("a/b", 6) == (blob.content_type, blob.size)


async def test_a_clone_is_read_on_its_own():
    """
    Both halves of a stream see every piece, in whatever order they are read.
    """
    response = Response(streamed("a", "b"))
    other = response.clone()

    assert ("ab", "ab") == (await other.text(), await response.text())


async def test_a_body_can_be_passed_on_as_a_stream():
    """
    What came in may go out: `request.body` is a body, and its pieces are `Uint8Array`s.
    """
    request = incoming([], streamed(b"a", b"b"))
    echo = Response(request.body)

    assert request.body_used
    assert (200, {}, b"ab") == await sent(echo)
    assert [b"x", b"y"] == [piece.to_bytes() async for piece in incoming([], streamed(b"x", b"y")).body]


def test_what_a_request_knows():
    """
    An incoming request has its method as HTTPMethod, its URL, and the redirect mode of the platform.
    """
    request = Request._incoming(
        "GET", "http://localhost/x?y=1", [], None, {"colo": "DFW", "botManagement": {"score": 99}}
    )

    assert HTTPMethod.GET == request.method == "GET"
    assert ("http://localhost/x?y=1", "manual") == (request.url, request.redirect)
    assert ("DFW", 99) == (request.cf.colo, request.cf.botManagement.score)
    assert "gzip" == incoming([("accept-encoding", "gzip")]).clone().cf.clientAcceptEncoding
    assert "US" == incoming().cf.country
    assert Request("http://localhost/").cf is None


def test_an_unknown_verb_is_a_key_error():
    """
    `request.method` can only be one that Python knows.
    """
    with pytest.raises(KeyError):
        _ = Request("http://x/", method="BREW").method


HEADERS = [
    ("Host", "x"),
    ("Accept-Encoding", "deflate"),
    ("accept-encoding", "gzip"),
    ("Set-Cookie", "a"),
    ("set-cookie", "b"),
]


def test_headers_are_looked_up_in_any_case():
    """
    Names are in lower case, repetitions joined, cookies apart and first; changing the copy changes nothing.
    """
    request = incoming(HEADERS)
    headers = request.headers
    headers["x"] = "y"

    assert ("deflate, gzip", ["deflate, gzip"]) == (headers["ACCEPT-encoding"], headers.get_all("Accept-Encoding"))
    assert ["set-cookie", "set-cookie", "host", "accept-encoding"] == request.headers.keys()
    assert ["a", "b"] == headers.get_all("set-cookie")
    assert (None, "d", None) == (headers["no"], headers.get("no", "d"), headers.get_all("no"))
    assert ("x" in headers, "x" in request.headers) == (True, False)


def test_a_content_type_and_its_charset():
    """
    The usual questions to an HTTPMessage are answered.
    """
    headers = incoming([("content-type", 'Text/HTML; charset="UTF-8"')]).headers

    assert ("text/html", "utf-8") == (headers.get_content_type(), headers.get_content_charset())


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://test.com", "https://test.com/"),
        ("HTTP://Test.COM:80/a/./b/../c?q=é#f g", "http://test.com/a/c?q=%C3%A9#f%20g"),
        ("https://u:p@x.com:8443/%7Ea", "https://u:p@x.com:8443/%7Ea"),
        ("http://[::1]:8787", "http://[::1]:8787/"),
    ],
)
def test_urls_are_normalised(given, normal):
    """
    A URL is written as a browser writes it.
    """
    assert normal == Request(given).url


@pytest.mark.parametrize("url", ["/x", "", "x.com", "http://", "http://x:port/"])
def test_a_request_needs_an_absolute_url(url):
    """
    Anything else is a TypeError.
    """
    with pytest.raises(TypeError, match="Invalid URL"):
        Request(url)


async def test_a_request_made_of_another():
    """
    Options replace what the first had; a js.Request takes none; a GET has no body.
    """
    first = Request("http://x/", method="POST", body="a", headers={"a": "b"})
    second = Request(first, method=HTTPMethod.PUT)

    assert ("PUT", "b", "a") == (second.method, second.headers["a"], await second.text())
    assert "a" == await Request(JsRequest.new(first)).text()
    with pytest.raises(ValueError, match=r"^Expected no options when constructing Request from a js\.Request$"):
        Request(first.js_object, method="GET")
    with pytest.raises(TypeError, match="cannot have a body"):
        Request("http://x/", body="a")


async def test_a_form_goes_round():
    """
    A form that is sent can be read, with its fields in order and its files.
    """
    form = FormData({"a": 'q"\r\n'})
    form.append("a", 2)
    form.append("f", Blob(b"\r\n--x", "text/css"), "b.css")

    found = await Request("http://x/", method="POST", body=form).form_data()
    file = found["f"]

    assert ['q"\r\n', "2"] == found.get_all("a")
    assert ("b.css", "text/css", b"\r\n--x") == (file.name, file.content_type, await file.bytes())


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nhalf"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n"),
    ],
    ids=["json", "no boundary", "cut short", "no name"],
)
async def test_what_is_no_form_is_a_type_error(content_type, body):
    """
    A body that is not a form, or only part of one, is refused.
    """
    with pytest.raises(TypeError):
        await incoming([("content-type", content_type)], streamed(body)).form_data()


def test_status_errors():
    """
    `raise_for_status` raises an OSError for a 4xx or 5xx, and nothing otherwise.
    """
    Response("x", 302).raise_for_status()

    with pytest.raises(OSError, match=r"^404 Client Error: Gone for url: $"):
        Response("x", 404, "Gone").raise_for_status()
