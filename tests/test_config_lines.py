"""The line of every key, in both languages."""

import json
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.config.lines import json_lines, toml_lines

TOML = '''name = "a" # name = "b"
"quoted key".'other' = 1

[vars]
TEXT = """
[not.a.table]
key = 1 \\""" """
RAW = \'\'\'
it's \\'\'\'
WHEN = 2026-01-01 10:00:00Z
RATIO = -1.5e-3
LIST = [
  1, # one
  { deep = 2, deeper = [
    3] },
]
bare-key.dotted . "x" = 4

[[queues.consumers]]
queue = "a"
[[queues.consumers]]
queue = "b"

[queues.consumers.inner]
x = 5
[ a . b ]
c = 6
'''

JSON = """{ // a: 1
  "name": "a", /* "b": 2,
  */ "vars": {"A": "// no", "B": [
    1,
    {"C": -2.5e3}
  ]},
  "date": "10:20",
}"""


def ways(value, way=()):
    """Every way into a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*way, key)
        yield from ways(inner, (*way, key))


@pytest.mark.parametrize(
    ("way", "line"),
    [
        (("name",), 1),
        (("quoted key", "other"), 2),
        (("vars",), 4),
        (("vars", "TEXT"), 5),
        (("vars", "RAW"), 8),
        (("vars", "WHEN"), 10),
        (("vars", "RATIO"), 11),
        (("vars", "LIST"), 12),
        (("vars", "LIST", 0), 13),
        (("vars", "LIST", 1), 14),
        (("vars", "LIST", 1, "deeper", 0), 15),
        (("vars", "bare-key", "dotted", "x"), 17),
        (("queues", "consumers", 0), 19),
        (("queues", "consumers", 1, "queue"), 22),
        (("queues", "consumers", 1, "inner", "x"), 25),
        (("a", "b", "c"), 27),
    ],
)
def test_toml_keys_have_lines(way, line):
    """
    Text, dates, numbers and comments are not taken for keys.
    """
    assert line == toml_lines(TOML)[way]


def test_every_way_into_toml_has_a_line():
    """
    Nothing that the parser finds is without a line.
    """
    assert [] == [way for way in ways(tomllib.loads(TOML)) if way not in toml_lines(TOML)]


@pytest.mark.parametrize(
    ("way", "line"),
    [(("name",), 2), (("vars", "A"), 3), (("vars", "B", 0), 4), (("vars", "B", 1, "C"), 5), (("date",), 7)],
)
def test_json_keys_have_lines(way, line):
    """
    Comments are passed over, also where they look like keys.
    """
    assert line == json_lines(JSON)[way]


KEYS = st.text(st.characters(codec="utf-8"), min_size=1)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(KEYS, VALUES), st.sampled_from([None, 1]))
def test_every_way_into_json_has_a_line(value, indent):
    """
    Whatever the value, each of its keys and items has a line, and all are in order.
    """
    text = json.dumps(value, indent=indent)
    found = json_lines(text)
    lines = [found[way] for way in ways(value)]

    assert sorted(lines) == lines
    assert all(line <= text.count("\n") + 1 for line in lines)


TOML_TEXTS = st.text(st.characters(codec="utf-8")).map(
    lambda text: json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
)
TOML_VALUES = st.recursive(
    st.sampled_from(["1", "-2.5", "true", "inf", "2026-01-01", "07:30:00.5", "1979-05-27 07:32:00-08:00", "0xff"])
    | TOML_TEXTS
    | st.sampled_from(["''", "'\\'", "'''a\n'b'''", '"""\n""a\\""""""']),
    lambda inner: (
        st.lists(inner).map(lambda items: "[\n" + ", # ]\n".join(items) + "\n]")
        | st.lists(inner).map(lambda items: "{ " + ", ".join(f"k{at} = {each}" for at, each in enumerate(items)) + " }")
    ),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(TOML_VALUES), st.lists(TOML_VALUES))
def test_every_way_into_any_toml_has_its_line(above, below):
    """
    Whatever the values, each key is found on the line it was written on.
    """
    written: dict[str, int] = {}
    text = ""
    for name, value in [(f"a{at}", each) for at, each in enumerate(above)]:
        written[name] = text.count("\n") + 1
        text += f"{name} = {value} # = [\n"
    text += "[[table]]\n" + "".join(f"b{at} = {value}\n" for at, value in enumerate(below))
    found = toml_lines(text)

    assert written == {name: found[(name,)] for name in written}
    assert [] == [way for way in ways(tomllib.loads(text)) if way not in found]
