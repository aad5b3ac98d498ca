"""The stand-ins for `js` and `pyodide`: conversions both ways, and what they promise."""

from __future__ import annotations

import ast
import asyncio
import importlib
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from emulator.sdk import js, pyodide
from emulator.sdk.js import JSON, URL, Array, Date, Headers, Map, Object, Promise, Set, Uint8Array, URLSearchParams
from emulator.sdk.js.instead import INSTEAD
from emulator.sdk.pyodide.code import relaxed_call
from emulator.sdk.pyodide.ffi import (
    ConversionError,
    JsException,
    JsProxy,
    create_once_callable,
    create_proxy,
    destroy_proxies,
    jsnull,
    to_js,
)
from emulator.sdk.workers import Blob, FormData, Request, Response, python_from_rpc, python_to_rpc
from emulator.sdk.workers.rpc import JsDict


class Custom:
    pass


@pytest.mark.parametrize("value", [1, 1.5, "x", True, None, jsnull])
def test_plain_values_cross_unchanged(value):
    """
    Numbers, text, booleans and nothing are the same on both sides.
    """
    assert to_js(value) is value


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ([1, [2]], "Array"),
        ((1, 2), "Array"),
        ({"a": {"b": 1}}, "LiteralMap"),
        ({1, 2}, "Set"),
        (b"ab", "Uint8Array"),
        (memoryview(b"\0\0\x80\x3f").cast("f"), "Float32Array"),
        (Custom(), "JsDoubleProxy"),
    ],
)
def test_other_values_are_converted(value, kind):
    """
    `to_js` makes JavaScript's containers, which are JsProxy where Python's are not.
    """
    made = to_js(value)

    assert kind == made.constructor.name
    assert (True, False) == (isinstance(made, JsProxy), isinstance(value, JsProxy))
    assert made is to_js(made)


@pytest.mark.parametrize("value", [[1, [2, "x"]], {"a": {"b": [1]}}, {1, 2}, [{"a": None}], []])
def test_there_and_back(value):
    """
    `to_py` is the way back.
    """
    assert value == to_js(value).to_py()
    assert value == to_js(value, dict_converter=Object.fromEntries).to_py()


def test_a_dict_is_a_map_or_an_object():
    """
    A dict is a map whose keys are attributes too, unless a method of Map has the name; or what a converter makes.
    """
    literal = to_js({"a": 1, "get": 2})
    plain = to_js({"a": 1, "get": 2}, dict_converter=Object.fromEntries)

    assert (1, 1, 2) == (literal.a, literal["a"], literal.get("get"))
    assert (1, 2, ["a", "get"]) == (plain.a, plain.get, list(Object.keys(plain)))
    assert not hasattr(plain, "b")
    with pytest.raises(TypeError):
        plain["a"]


def test_how_deep_conversion_goes():
    """
    `depth` limits both ways; a list that contains itself is no trap.
    """
    endless: list[Any] = []
    endless.append(endless)

    assert isinstance(to_js([[1]], depth=1)[0], list)
    assert isinstance(to_js([[1]]).to_py(depth=1)[0], JsProxy)
    assert to_js(endless)[0] is not None
    with pytest.raises(ConversionError):
        to_js({(1, 2): 3})
    with pytest.raises(ConversionError):
        to_js(Custom(), create_pyproxies=False)


def test_proxies_of_python_objects():
    """
    A proxy can be called and unwrapped until it is destroyed.
    """
    proxy = create_proxy(len)

    assert (2, len) == (proxy([1, 2]), proxy.unwrap())

    destroy_proxies([proxy])

    with pytest.raises(JsException, match="destroyed"):
        proxy([1])


def test_a_once_callable_is_called_once():
    """
    The second call raises JsException.
    """
    once = create_once_callable(lambda: 1)

    assert 1 == once()
    with pytest.raises(JsException, match=r"^Error: OnceProxy can only be called once$"):
        once()


def test_errors():
    """
    `js.Error.new` makes what can be raised: name, message, stack, and "Name: message".
    """
    error = js.TypeError.new("m")

    assert ("TypeError", "m", "TypeError: m") == (error.name, error.message, str(error))
    assert isinstance(error, Exception)
    assert "test_errors" in js.Error.new().stack
    assert "Error" == str(js.Error.new())


def test_jsnull():
    """
    Null is falsy, one, and not None.
    """
    assert (False, "jsnull", True) == (bool(jsnull), repr(jsnull), JSON.parse("null") is jsnull)


@pytest.mark.parametrize("name", ["WebAssembly", "document", "process", "Unknown"])
def test_a_name_we_do_not_have(name):
    """
    Both ways of asking name it and say why.
    """
    text = f"^js.{name} is not emulated"

    with pytest.raises(AttributeError, match=text):
        getattr(js, name)
    with pytest.raises(ImportError, match=text):
        exec(f"from emulator.sdk.js import {name}")


@pytest.mark.parametrize("name", sorted(dir(js)))
def test_every_name_is_there(name):
    """
    What `dir(js)` lists can be had.
    """
    assert getattr(js, name) is not None or name == "undefined"


def test_a_type_checker_knows_the_same_names():
    """
    The stub lists what there is, so that a name that is not emulated is found before the worker runs.
    """
    stub = ast.parse(Path(js.__file__ or "").with_suffix(".pyi").read_text())
    classes = {each.name for each in stub.body if isinstance(each, ast.ClassDef | ast.FunctionDef)}
    values = {ast.unparse(each.target) for each in stub.body if isinstance(each, ast.AnnAssign)}

    assert set(dir(js)) == {name for name in classes | values if not name.startswith("_")}


@pytest.mark.parametrize("name", sorted(INSTEAD))
def test_what_to_use_instead(name):
    """
    A name of the platform that is not emulated, and not there, comes with advice.
    """
    assert name not in dir(js)
    with pytest.raises(
        AttributeError, match=re.escape(f"js.{name} is not emulated") + ".*; " + re.escape(INSTEAD[name])
    ):
        getattr(js, name)


@pytest.mark.parametrize(
    ("module", "name", "text"),
    [
        ("pyodide", "to_js", "import it from pyodide.ffi"),
        ("pyodide.ffi", "wrappers", "a worker has no page"),
        ("pyodide.ffi", "nope", "see dir(pyodide.ffi)"),
        ("pyodide.http", "pyxhr", "use pyfetch()"),
        ("pyodide.code", "eval_code", "use eval() and exec()"),
        ("pyodide.webloop", "nope", "use asyncio"),
    ],
)
def test_names_that_pyodide_has_and_we_have_not(module, name, text):
    """
    Whether asked for or imported, the error names it as the worker does, and says what to use.
    """
    pattern = re.escape(f"{module}.{name} is not emulated") + ".*" + re.escape(text)

    with pytest.raises(AttributeError, match=pattern):
        getattr(importlib.import_module(f"emulator.sdk.{module}"), name)
    with pytest.raises(ImportError, match=pattern):
        exec(f"from emulator.sdk.{module} import {name}")


def test_names_of_pyodide():
    """
    The version is the platform's; a missing name says which there are.
    """
    assert "0.28.2" == pyodide.__version__
    with pytest.raises(ImportError, match=r"^pyodide.nope is not emulated; there are pyodide.code"):
        exec("from emulator.sdk.pyodide import nope")


def test_classes_want_new():
    """
    As in Pyodide a JavaScript class is made with `.new`, and is a JsProxy itself.
    """
    assert isinstance(js.Response, JsProxy)
    with pytest.raises(TypeError, match=r"write Response\.new\(\.\.\.\)"):
        js.Response("x")


async def test_javascript_responses():
    """
    `js.Response` has JavaScript's names, keywords as options, and can be returned by a handler.
    """
    response = js.Response.new("body", status=201, headers=Object.fromEntries([["X-A", "b"]]))

    assert (201, True, "b") == (response.status, response.ok, response.headers.get("x-a"))
    assert (201, b"body") == (response.clone()._outgoing()[0], (await response.clone().bytes()).to_bytes())
    assert "body" == await response.text()
    assert response.bodyUsed

    parsed = await js.Response.json({"a": [1]}).json()

    assert (1, 307) == (parsed.a[0], js.Response.redirect("http://x/", 307).status)
    with pytest.raises(JsException, match=r"^RangeError: "):
        js.Response.redirect("http://x/", 200)


async def test_javascript_requests():
    """
    The request a worker has is the same one under its JavaScript name.
    """
    request = Request("http://x/?a=1", method="POST", body='{"a": null}')
    inner = request.js_object

    assert ("POST", "http://x/?a=1", "1") == (inner.method, inner.url, URL.new(inner.url).searchParams.get("a"))
    assert (await inner.json()).a is jsnull
    assert request.body_used


def test_javascript_headers():
    """
    `Headers` reads in any case, joins, and gives `jsnull` for what is missing.
    """
    headers = Headers.new({"A": "1"}.items())
    headers.append("a", "2")
    headers.append("set-cookie", "x")
    headers.append("set-cookie", "y")

    assert ("1, 2", True, jsnull) == (headers.get("A"), headers.has("a"), headers.get("no"))
    assert [("a", "1, 2"), ("set-cookie", "x"), ("set-cookie", "y")] == list(headers)
    assert ["x", "y"] == list(headers.getSetCookie())
    with pytest.raises(JsException):
        headers.set("a", "b\nc")


def test_urls():
    """
    The parts of a URL can be read and set, and its query goes both ways.
    """
    url = URL.new("../b?x=1&x=2#h", "https://u:p@Example.com:8443/a/c/")

    assert ("https:", "example.com:8443", "example.com", "8443") == (url.protocol, url.host, url.hostname, url.port)
    assert ("/a/b", "?x=1&x=2", "#h", "u", "p") == (url.pathname, url.search, url.hash, url.username, url.password)
    assert ("https://example.com:8443", ["1", "2"]) == (url.origin, url.searchParams.getAll("x"))

    url.searchParams.set("x", "a b")
    url.pathname = "/ü"
    url.hash = ""

    assert "https://u:p@example.com:8443/%C3%BC?x=a+b" == url.href == str(url)

    url.search = "?y=2"

    assert ("2", jsnull) == (url.searchParams.get("y"), url.searchParams.get("x"))
    with pytest.raises(JsException, match=r"^TypeError: Invalid URL: x$"):
        URL.new("x")


@pytest.mark.parametrize("given", ["?a=1&b=2", [["a", 1], ["b", 2]], {"a": 1, "b": 2}])
def test_search_params(given):
    """
    A query is made of text, pairs or an object; iterating gives pairs.
    """
    assert [("a", "1"), ("b", "2")] == list(URLSearchParams.new(given))
    assert "a=1&b=2" == str(URLSearchParams.new(given))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, None, "é"]}, '{"a":[1,null,"é"]}'),
        (Object.fromEntries([["a", jsnull]]), '{"a":null}'),
        (Array.new("a", "b"), '["a","b"]'),
        (Date.new(0), '"1970-01-01T00:00:00.000Z"'),
        (Map.new([["a", 1]]), "{}"),
    ],
)
def test_json_text(value, text):
    """
    `JSON.stringify` writes without spaces, and knows JavaScript's objects.
    """
    assert text == JSON.stringify(value)


def test_json_that_is_none():
    """
    A text that is no JSON is a SyntaxError of JavaScript's.
    """
    with pytest.raises(JsException, match=r"^SyntaxError: "):
        JSON.parse("{")


@pytest.mark.parametrize("made", [(1_700_000_000_123,), ("2023-11-14T22:13:20.123Z",), (2023, 10, 14, 22, 13, 20, 123)])
def test_dates(made):
    """
    A date is made of milliseconds, text or its parts, all in UTC.
    """
    date = Date.new(*made)

    assert ("2023-11-14T22:13:20.123Z", 1_700_000_000_123) == (date.toISOString(), date.getTime())
    assert (2023, 10, 14, 2, 22) == (
        date.getFullYear(),
        date.getMonth(),
        date.getDate(),
        date.getDay(),
        date.getHours(),
    )
    assert "Tue, 14 Nov 2023 22:13:20 GMT" == date.toUTCString()
    assert math.isnan(Date.new("soon").getTime())


def test_typed_arrays():
    """
    Arrays over one buffer share its bytes; `bytes()` works on all.
    """
    array = Uint8Array.new(b"abcd")
    part = array.subarray(1, 3)
    part[0] = 256 + ord("x")

    assert (b"axcd", 4, b"xc") == (bytes(array), array.length, part.to_bytes())
    assert (b"cd", b"axcd") == (array.slice(-2).to_bytes(), bytes(array.buffer))
    assert (-1, 4294967295) == (js.Int8Array.new([255])[0], js.Uint32Array.new([-1])[0])
    assert "f" == js.Float32Array.new([1.5]).to_py().format
    assert 16 == js.crypto.getRandomValues(Uint8Array.new(16)).length
    assert "é" == js.TextDecoder.new().decode(js.TextEncoder.new().encode("é"))


async def test_promises_and_timers():
    """
    A promise is awaited or given callbacks; a timer calls back on the loop.
    """
    ticked = Promise.new(lambda resolve, reject: js.setTimeout(resolve, 0, "tick"))
    never = js.setTimeout(lambda: pytest.fail("it was cleared"), 0)
    js.clearTimeout(never)

    assert "tick!" == await ticked.then(lambda text: f"{text}!")
    assert [1, 2] == list(await Promise.all([asyncio.sleep(0, 1), 2]))
    assert "caught no" == await Promise.reject("no").catch(lambda error: f"caught {error.message}")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ([1], "Array"),
        ({"a": 1}, "Object"),
        ({1}, "Set"),
        (b"x", "Uint8Array"),
        (datetime(2023, 1, 1, tzinfo=UTC), "Date"),
        (Request("http://x/"), "Request"),
        (Response("x"), "Response"),
        (FormData(), "FormData"),
        (Blob("x"), "Blob"),
        (lambda: 1, "JsDoubleProxy"),
    ],
)
def test_values_for_rpc(value, kind):
    """
    Each Python value has its JavaScript one.
    """
    assert kind == python_to_rpc(value).constructor.name


def test_nothing_and_errors_for_rpc():
    """
    None is null at any depth; an exception is an Error with its text.
    """
    assert (jsnull, jsnull) == (python_to_rpc(None), python_to_rpc({"a": [None]}).a[0])
    assert "Error: m" == str(python_to_rpc(ValueError("m")))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((1,), "tuple cannot be sent over RPC."),
        ([{"a": bytearray()}], "bytearray cannot be sent over RPC."),
        (re.compile("x"), "RegExp cannot be sent over RPC."),
    ],
)
def test_what_cannot_be_sent(value, text):
    """
    The TypeError names the type, however deep it sits.
    """
    with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
        python_to_rpc(value)


async def test_an_awaitable_cannot_be_sent():
    """
    It has to be awaited first.
    """
    work = asyncio.sleep(0)

    with pytest.raises(TypeError, match=r"^Awaitable coroutine cannot be sent over RPC\.$"):
        python_to_rpc(work)
    await work


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (jsnull, None),
        (Array.new("a", jsnull), ["a", None]),
        (Object.fromEntries([["a", Object.fromEntries([["b", 1]])]]), {"a": {"b": 1}}),
        (Map.new([["a", 1]]), {"a": 1}),
        (Set.new([1, 2]), {1, 2}),
        (Uint8Array.new(b"x"), memoryview(b"x")),
        (Date.new(0), datetime(1970, 1, 1)),
        ("x", "x"),
    ],
)
def test_values_from_rpc(value, expected):
    """
    Each JavaScript value has its Python one.
    """
    assert expected == python_from_rpc(value)


def test_objects_from_rpc():
    """
    Objects are dicts with attributes, and requests are the SDK's own.
    """
    found = python_from_rpc(Object.fromEntries([["a", Object.fromEntries([["b", 1]])]]))
    request = Request("http://x/")

    assert 1 == found.a.b == found["a"]["b"]
    assert request is python_from_rpc(request.js_object)
    assert "Error: m" == str(python_from_rpc(js.Error.new("m")))


def test_a_js_dict():
    """
    Keys are attributes, real methods win, and a missing key is an AttributeError that names the others.
    """
    found = JsDict(a=1, items=2)
    found.b = 3
    del found.a

    assert (3, 2, {"items": 2, "b": 3}) == (found.b, found["items"], dict(found.items()))
    with pytest.raises(AttributeError, match="no key 'x'; there are items, b"):
        _ = found.x


def test_relaxed_calls():
    """
    Arguments that a function has no place for are left out.
    """
    assert (1, (1, 2)) == (relaxed_call(lambda a: a, 1, 2, c=3), relaxed_call(lambda *a: a, 1, 2))
    assert {"a": 1} == relaxed_call(dict, a=1)


@pytest.mark.parametrize(
    ("text", "encoded", "of_a_url"),
    [("a b&c", "a%20b%26c", "a%20b&c"), ("ü/?", "%C3%BC%2F%3F", "%C3%BC/?"), ("100%", "100%25", "100%25")],
)
def test_texts_in_urls(text, encoded, of_a_url):
    """
    A part of a URL is encoded whole, a URL but for what separates its parts; and back.
    """
    assert (encoded, of_a_url) == (js.encodeURIComponent(text), js.encodeURI(text))
    assert text == js.decodeURIComponent(encoded)
    assert text == js.decodeURI(of_a_url)
    assert "%26%2fü" == js.decodeURI("%26%2f%c3%bc")


@pytest.mark.parametrize("text", ["%", "%zz", "%ff"])
def test_what_is_no_encoded_text(text):
    """
    A URIError, from both functions.
    """
    with pytest.raises(JsException, match=r"^URIError: URI malformed$"):
        js.decodeURIComponent(text)
    with pytest.raises(JsException, match=r"^URIError: URI malformed$"):
        js.decodeURI(text)


async def test_small_names():
    """
    Numbers, the browser that is none, an error with a name of its own, and a wait.
    """
    error = js.DOMException.new("gone", "AbortError")

    assert (True, False, True) == (js.isFinite("1"), js.isFinite(js.Infinity), js.NaN != js.NaN)
    assert ("Cloudflare-Workers", js) == (js.navigator.userAgent, js.self)
    assert ("AbortError", "gone") == (error.name, error.message)
    assert await js.scheduler.wait(0) is None


def test_an_object_as_a_map():
    """
    `as_object_map` is the same object, by subscript.
    """
    made = Object.fromEntries([("a", 1)])
    made.as_object_map()["b"] = 2

    assert (2, {"a": 1, "b": 2}) == (made.b, dict(made.as_object_map().items()))


class Pair:
    def __init__(self, first: Any, second: Any) -> None:
        self.first = first
        self.second = second


def test_a_converter_of_ones_own():
    """
    It is handed what `to_js` does not know, converts what is inside, and may say what it made before it is complete.
    """

    def convert_pair(pair: Pair, convert: Any, remember: Any) -> Any:
        made = Array.new()
        remember(pair, made)
        made.push(convert(pair.first), convert(pair.second))
        return made

    endless = Pair([1], None)
    endless.second = endless
    made = to_js({"pair": endless}, default_converter=convert_pair)

    assert [1] == made.pair[0].to_py()
    assert made.pair is made.pair[1]


def test_a_converter_that_comes_first():
    """
    An eager converter is asked before any rule of `to_js`.
    """
    made = to_js([1], eager_converter=lambda value, convert, remember: Object.fromEntries([("n", len(value))]))

    assert {"n": 1} == made.to_py()


def test_arrays():
    """
    Callbacks are given item, place and array; what changes an array changes it in place.
    """
    seen = []
    numbers = Array.new(3, 1, 20)
    numbers.forEach(lambda *given: seen.append(given))

    assert [(3, 0, numbers), (1, 1, numbers), (20, 2, numbers)] == seen
    assert [3, 2, 22] == numbers.map(lambda item, index, _: item + index).to_py()
    assert [3, 20] == numbers.filter(lambda item, *_: item > 1).to_py()
    assert (20, 2, None, -1) == (
        numbers.find(lambda item, *_: item > 3),
        numbers.findIndex(lambda item, *_: item > 3),
        numbers.find(lambda item, *_: item > 30),
        numbers.findIndex(lambda item, *_: item > 30),
    )
    assert (True, False) == (numbers.some(lambda item, *_: item > 3), numbers.every(lambda item, *_: item > 3))
    assert (24, 34) == (numbers.reduce(lambda s, i, *_: s + i), numbers.reduce(lambda s, i, *_: s + i, 10))
    assert [1, 20, 3] == numbers.sort().to_py()
    assert [20, 3, 1] == numbers.sort(lambda a, b: b - a).to_py()
    assert [1, 3, 20] == numbers.reverse().to_py()
    assert (20, None, 1, 4) == (numbers.at(-1), numbers.at(9), numbers.shift(), numbers.unshift(5, 6))
    assert [5, 6, 3, 20] == numbers.to_py()
    assert [[0, 5], [1, 6]] == [entry.to_py() for entry in numbers.entries()][:2]
    assert [1, 2, [3]] == to_js([1, [2, [3]]]).flat().to_py()
    with pytest.raises(JsException, match=r"^TypeError: Reduce of empty array"):
        Array.new().reduce(max)


async def test_promises_together():
    """
    All that ended, the first that went well, and one that is settled from outside.
    """

    async def fails():
        raise LookupError("no")

    ended = await Promise.allSettled([Promise.resolve(1), fails()])
    outside = Promise.withResolvers()
    outside.resolve(3)

    assert [("fulfilled", 1), ("rejected", "no")] == [
        (each.status, getattr(each, "value", None) or str(each.reason)) for each in ended
    ]
    assert (2, 3) == (await Promise.any([fails(), Promise.resolve(2)]), await outside.promise)
    with pytest.raises(JsException, match=r"^AggregateError"):
        await Promise.any([fails()])


def test_more_of_the_small_classes(capsys):
    """
    Sets, objects, typed arrays, URLs, dates, numbers and the console have what is used now and then.
    """
    found: list[Any] = []
    URLSearchParams.new("a=1&b=2").forEach(lambda value, name, _: found.append((name, value)))
    date = Date.new(0)
    date.setTime(1000)
    js.console.assert_(True, "well")  # noqa: PT009 - it is JavaScript's
    js.console.assert_(False, "ill")  # noqa: PT009
    js.console.timeEnd("never begun")

    assert [("a", "1"), ("b", "2")] == found
    assert ([1, 2], [0, 7, 7]) == (list(Set.new([1, 2]).values()), list(Uint8Array.new(3).fill(7, 1)))
    assert ([1, 2], [2, 5]) == (
        list(Uint8Array.of(1, 2)),
        list(Uint8Array.from_([1, 3], lambda item, i: item + i + 1)[:2]),
    )
    assert (True, False) == (Object.hasOwn(Object.new(a=1), "a"), Object.hasOwn(Object.freeze(Object.new()), "a"))
    assert (jsnull, "b") == (URL.parse("no url"), URL.parse("https://b/").host)
    assert (1000, -1, 0) == (date.getTime(), js.Math.sign(-3), js.Math.log(1))
    assert "Assertion failed ill\n" == capsys.readouterr().err


def test_texts_that_are_none():
    """
    A decoder replaces what is no text, or says so when it was made `fatal`.
    """
    assert "\ufffda" == js.TextDecoder.new().decode(b"\xffa")
    assert "\ufeffa" == js.TextDecoder.new("utf-8", ignoreBOM=True).decode("\ufeffa".encode())
    with pytest.raises(JsException, match=r"^TypeError: Failed to decode"):
        js.TextDecoder.new("utf-8", fatal=True).decode(b"\xff")
