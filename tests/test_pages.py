"""Error pages: the user's own lines first, nothing unescaped, nothing for strangers."""

import base64
import hashlib
import re
from html import escape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import ConfigError, EmulatorError, Problem, WorkerError, WorkerGone
from emulator.greeting import remedy
from emulator.pages import error_page, error_text, explain, may_see_details, page_headers, wants_html

BROWSER = {
    "host": "localhost:8787",
    "user-agent": "Mozilla/5.0",
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
}
SCRIPT = {"host": "127.0.0.1:8787", "user-agent": "python-httpx", "accept": "*/*"}
NASTY = "</pre></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&\u202e\x1b[31m"

TRACE = """\
Traceback (most recent call last):
  File "/home/me/shop/entry.py", line 4, in first
    low_level()
KeyError: 'first'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/home/me/shop/entry.py", line 12, in fetch
    return pay(order)
           ^^^^^^^^^^
  File "/home/me/shop/.venv/lib/python3.12/site-packages/bank/api.py", line 90, in call
    hook()
  File "/home/me/shop/billing.py", line 7, in pay
    raise ValueError("no money")
  File "/usr/lib/python3.12/json/__init__.py", line 3, in loads
    decode()
ValueError: no money
"""


class Tags(HTMLParser):
    """The tags of a page, and its text outside style and script."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data):
        if self.tags and self.tags[-1] not in ("style", "script"):
            self.texts.append(data)


@pytest.mark.parametrize(
    ("accept", "agent", "expected"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "Mozilla/5.0", True),
        ("application/json, TEXT/HTML;q=0.5", "Mozilla/5.0", True),
        ("text/html", "curl/8.5.0", False),
        ("*/*", "Mozilla/5.0", False),
        ("text/*", "Mozilla/5.0", False),
        ("application/json", "Mozilla/5.0", False),
        ("text/html;q=0, */*", "Mozilla/5.0", False),
        ("text/html;q=0.000", "Mozilla/5.0", False),
        ("text/html;level=1;q=0.9", "Mozilla/5.0", True),
        ("text/htmlx", "Mozilla/5.0", False),
        ("", "Mozilla/5.0", False),
    ],
)
def test_who_gets_html(accept, agent, expected):
    """
    Only who names text/html gets a page; everybody else gets text.
    """
    assert expected is wants_html({"accept": accept, "user-agent": agent})


def test_no_headers_get_text():
    """
    A request that says nothing of itself gets text.
    """
    assert False is wants_html({})


@pytest.mark.parametrize(
    ("client", "host", "expected"),
    [
        ("127.0.0.1", "localhost:8787", True),
        ("127.1.2.3", "127.0.0.1", True),
        ("::1", "[::1]:8787", True),
        ("::ffff:127.0.0.1", "LOCALHOST.", True),
        ("192.168.0.9", "localhost:8787", False),
        ("::ffff:10.0.0.1", "localhost", False),
        ("127.0.0.1", "evil.com", False),
        ("127.0.0.1", "localhost.evil.com", False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", None, False),
        ("", "localhost", False),
        ("unix", "localhost", False),
    ],
)
def test_who_sees_details(client, host, expected):
    """
    Details are for this machine, asked by a name that means this machine.
    """
    assert expected is may_see_details(client, host)


def test_the_users_own_frames_come_first():
    """
    The innermost of the user's frames is on top; library frames are only in the traceback.
    """
    page = error_page(title="failed", kind="ValueError", message="no money", trace=TRACE, place="billing.py:7")
    cards, _, printed = page.partition("<h2>Traceback</h2>")

    assert ["/home/me/shop/billing.py:7", "/home/me/shop/entry.py:12"] == re.findall(r"<p><b>(.+?)</b>", cards)
    assert "site-packages" not in cards
    assert "^^^^^^^^^^" in cards

    assert "<b>    raise ValueError(&quot;no money&quot;)</b>" in printed
    assert "\n    hook()\n" in printed
    assert "<b>ValueError: no money</b>" in printed


def test_a_syntax_error_shows_its_line():
    """
    A frame without a function, as a syntax error has, is the user's too.
    """
    trace = '  File "/home/me/entry.py", line 1\n    def f(:\n          ^\nSyntaxError: invalid syntax\n'
    page = error_page(title="failed", kind="SyntaxError", message="invalid syntax", trace=trace)

    assert "<p><b>/home/me/entry.py:1</b></p><code>def f(:\n      ^</code>" in page


def test_everything_is_escaped():
    """
    Markup, control characters and reversed text in any field are shown, never obeyed.
    """
    trace = f'Traceback (most recent call last):\n  File "/{NASTY[:30]}", line 1, in {NASTY}\n    {NASTY}\n'
    page = error_page(title=NASTY, kind=NASTY, message=NASTY, trace=trace, place=NASTY, hint=NASTY)
    seen = Tags(page)

    assert "img" not in seen.tags
    assert "script" not in seen.tags
    assert {"lang", "charset", "name", "content", "class"} == set(seen.attributes)
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert any("\\u202e\\x1b[31m" in text for text in seen.texts)


@given(st.text(max_size=300), st.text(max_size=600))
def test_any_text_makes_a_page(message, trace):
    """
    Whatever a worker raises, a page comes of it, with no tag that is not ours.
    """
    page = error_page(title="failed", kind="E", message=message, trace=trace)

    assert {"html", "meta", "title", "style", "main", "h1", "h2", "p", "pre", "b", "div", "code"} >= set(
        Tags(page).tags
    )
    page.encode("utf-8")


@pytest.mark.parametrize("filler", ["x", "<", "\x00", '  File "/a.py", line 1, in f\n    g()\n', "\n<", "€"])
def test_a_page_has_a_largest_size(filler):
    """
    However much a worker says, the page stays under 200 kB.
    """
    page = error_page(title=filler * 999, kind="E", message=filler * 99_999, trace=filler * 99_999, hint=filler * 9_999)

    assert len(page.encode()) <= 200_000
    assert page.endswith("</html>\n")


def test_the_text_for_scripts():
    """
    A script gets the same in plain text.
    """
    text = error_text(
        title="failed", kind="KeyError", message="'x'\x1b[0m", trace="Traceback …\n", place="a.py:3", hint="look there"
    )

    assert "failed\n\nKeyError: 'x'\\x1b[0m\n  at a.py:3\n\nTraceback …\n\nlook there\n" == text


@pytest.mark.parametrize("live", [False, True])
def test_the_policy_allows_just_what_is_on_the_page(live):
    """
    The content security policy names the page's own style and script, and no other.
    """
    page = error_page(title="failed", kind="E", message="m", trace="", live=live)
    policy = dict(page_headers(live=live))["content-security-policy"]
    inline = re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", page, re.DOTALL)
    hashes = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline}

    assert hashes == set(re.findall(r"'sha256-(.+?)'", policy))
    assert policy.startswith("default-src 'none'; ")
    assert live is ("/cdn-cgi/local/health" in page)
    assert live is ("connect-src 'self'" in policy)


@pytest.mark.parametrize(
    ("error", "live", "title"),
    [
        (WorkerError("ValueError", "no money", TRACE), False, "The worker raised an exception"),
        (WorkerError("ValueError", "no money", TRACE), True, "The worker could not be loaded"),
        (WorkerGone("killed by signal 9"), False, "The worker's process ended"),
        (ConfigError([Problem("main", "no such file", "wrangler.toml", 3)]), True, "The config is wrong"),
        (EmulatorError("no idea"), False, "The request could not be served"),
    ],
)
def test_each_error_has_its_title(error, live, title):
    """
    The title says what kind of thing went wrong, in the page and in the text alike.
    """
    page = explain(error, BROWSER, client="127.0.0.1", live=live)
    text = explain(error, SCRIPT, client="127.0.0.1", live=live)

    assert title in Tags(page.body).texts
    assert ("content-type", "text/html; charset=utf-8") in page.headers

    assert text.body.startswith(f"{title}\n\n")
    assert ("content-type", "text/plain; charset=utf-8") in text.headers


@pytest.mark.parametrize(
    ("live", "again", "waits"),
    [(True, True, "load"), (True, False, "load"), (False, True, "request"), (False, False, None)],
)
def test_a_page_comes_back_when_it_can(live, again, waits):
    """
    It says so, and what it waits for: a worker that loads, or one that is another than the one that raised.
    """
    page = explain(WorkerError("ValueError", "no", TRACE), BROWSER, client="::1", live=live, again=again)
    text = explain(WorkerError("ValueError", "no", TRACE), SCRIPT, client="::1", live=False, again=again)

    assert ([waits] if waits else []) == re.findall(r'data-failed="(.*?)"', page.body)
    assert bool(waits) is ("then reloads it" in page.body) is ("<script>" in page.body)
    assert bool(waits) is ("script-src" in dict(page.headers)["content-security-policy"])
    assert "then reloads it" not in text.body


@pytest.mark.parametrize(
    ("reloads", "has_keys", "told"),
    [
        (True, True, "Put it right and save;"),
        (False, True, "Put it right, save, and press r in the emulator's terminal;"),
        (False, False, "Put it right, save, and start the emulator again;"),
    ],
    ids=["watched", "with keys", "neither"],
)
def test_a_page_says_how_its_error_goes_away(reloads, has_keys, told):
    """
    A save is enough only where files are watched.
    """
    how = remedy(reloads=reloads, has_keys=has_keys)
    page = explain(EmulatorError("x"), BROWSER, client="::1", live=True, remedy=how)

    assert escape(f"{told} a browser that shows this page then reloads it.") in page.body


def test_the_place_is_the_users_innermost_line():
    """
    The text names the file and line to open.
    """
    text = explain(WorkerError("ValueError", "no money", TRACE), SCRIPT, client="::1", live=False).body

    assert "ValueError: no money\n  at /home/me/shop/billing.py:7\n" in text


@pytest.mark.parametrize("headers", [BROWSER, SCRIPT])
def test_strangers_get_a_number_only(headers, caplog):
    """
    Another machine learns nothing but a number, by which the terminal tells the rest.
    """
    told = explain(WorkerError("ValueError", "no money", TRACE), headers, client="192.168.0.9", live=True, again=True)
    [number] = re.findall(r"Internal error ([0-9a-f]{8})", told.body)

    assert "money" not in told.body
    assert "/home/me" not in told.body
    assert "<script" not in told.body

    assert number in caplog.text
    assert "no money" in caplog.text
