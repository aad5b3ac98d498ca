"""`HTMLRewriter`: selectors, what handlers may change, and that everything else stays as it is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from emulator.sdk.js import HTMLRewriter
from emulator.sdk.js.selectors import Place, parse
from emulator.sdk.pyodide.ffi import JsException, create_proxy
from emulator.sdk.workers import Response


async def rewritten(html: Any, *rules: tuple[str, Any], document: Any = None) -> str:
    rewriter = HTMLRewriter.new()
    for selector, handlers in rules:
        rewriter.on(selector, create_proxy(handlers))
    if document is not None:
        rewriter.onDocument(document)
    body = html if isinstance(html, str) else iter(html)
    return await rewriter.transform(Response(body, headers={"content-type": "text/html"})).text()


def element(change: Any) -> Any:
    return SimpleNamespace(element=change)


PAGE = """<!DOCTYPE html><html><head><title>A &amp; B</title><meta property="og:title" content='x'></head>
<body class="a b"><ul><li id=one>1</li><li>2<br/></li></ul><!-- c --><SCRIPT>if (a < b) "</p>"</SCRIPT></body></html>"""


async def test_what_nobody_asks_for_stays():
    """
    Source, case and odd spellings pass through.
    """
    assert PAGE.replace("</SCRIPT>", "</script>") == await rewritten(PAGE, ("nothing", element(None)))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(lambda e: e.before("<", html=False), "&lt;<p>x</p>", id="before, escaped"),
        pytest.param(lambda e: e.after("<b>", {"html": True}), "<p>x</p><b>", id="after, as HTML"),
        pytest.param(lambda e: e.prepend("1").append("2"), "<p>1x2</p>", id="inside"),
        pytest.param(lambda e: e.setInnerContent("new"), "<p>new</p>", id="other content"),
        pytest.param(lambda e: e.replace("new"), "new", id="something else"),
        pytest.param(lambda e: e.remove(), "", id="nothing"),
        pytest.param(lambda e: e.removeAndKeepContent(), "x", id="without its tags"),
        pytest.param(lambda e: e.setAttribute("a", 'b"'), '<p a="b&quot;">x</p>', id="an attribute"),
        pytest.param(lambda e: setattr(e, "tagName", "q"), "<q>x</q>", id="another tag"),
        pytest.param(lambda e: e.onEndTag(lambda end: end.before("!")), "<p>x!</p>", id="its end"),
    ],
)
async def test_changes(change, expected):
    """
    An element can be changed in every way.
    """
    assert f"<i>a</i>{expected}<i>z</i>" == await rewritten("<i>a</i><p>x</p><i>z</i>", ("p", element(change)))


async def test_an_async_handler_of_a_page_in_pieces():
    """
    Handlers may wait, and tags may be cut anywhere.
    """

    class Meta:
        async def element(self, found: Any) -> None:
            found.setAttribute("content", found.getAttribute("content").upper())

    pieces = [PAGE[start : start + 7] for start in range(0, len(PAGE), 7)]

    assert 'content="X"' in await rewritten(pieces, ('meta[property^="og:"]', Meta()))


async def test_texts_comments_and_the_document():
    """
    Each kind of thing has its handler.
    """
    document = SimpleNamespace(end=lambda end: end.append("<!-- end -->", html=True))
    handlers = SimpleNamespace(
        text=lambda text: text.replace(text.text.upper()), comments=lambda comment: comment.remove()
    )

    assert "<p>A<b>B</b></p>c<!-- end -->" == await rewritten(
        "<p>a<!-- x --><b>b</b></p>c", ("p", handlers), document=document
    )


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("li", True),
        ("*", True),
        ("LI", True),
        ("p", False),
        ("#one", True),
        (".x.y", True),
        (".z", False),
        ("li[data-a]", True),
        ('[data-a="One Two"]', True),
        ("[data-a=one]", False),
        ('[data-a="ONE TWO" i]', True),
        ("[data-a~=Two]", True),
        ("[data-a^=One]", True),
        ("[data-a$=Two]", True),
        ('[data-a*="e T"]', True),
        ("[lang|=en]", True),
        ("ul li", True),
        ("body li", True),
        ("ul > li", True),
        ("body > li", False),
        ("p, li", True),
        ("li:not(.z)", True),
        ("li:first-child", False),
        ("li:nth-child(2)", True),
        ("li:nth-child(odd)", False),
        ("li:nth-of-type(2n+1)", True),
    ],
)
def test_selectors(selector, expected):
    """
    A selector looks at an element and those around it.
    """
    attributes = {"id": "one", "class": "x y", "data-a": "One Two", "lang": "en-GB"}
    path = [Place("body", {}, 1, 1), Place("ul", {}, 1, 1), Place("li", attributes, 2, 1)]

    assert expected == parse(selector)(path)


@pytest.mark.parametrize("selector", ["", "li::before", "a + b", "li:nth-child(x)"])
def test_what_is_no_selector(selector):
    """
    The error shows what could not be read.
    """
    with pytest.raises(JsException, match="Parser error"):
        parse(selector)
