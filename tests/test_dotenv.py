"""The syntax of .dev.vars and .env files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.config import dotenv


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1", {"A": "1"}),
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("  A = 1  ", {"A": "1"}),
        ("export A=1", {"A": "1"}),
        ("A: 1", {"A": "1"}),
        ("A=", {"A": ""}),
        ("A=\nB=2", {"A": "", "B": "2"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A.b-c=1", {"A.b-c": "1"}),
        ("# A=1\n\n  # B=2\nC=3", {"C": "3"}),
        ("A=1 # one", {"A": "1"}),
        ("A= # one", {"A": ""}),
        ("A=a#b", {"A": "a#b"}),
        ("A=https://x.y/#z?a=b", {"A": "https://x.y/#z?a=b"}),
        ("A='1 # one' # two", {"A": "1 # one"}),
        ('A=" 1 "', {"A": " 1 "}),
        ('A=`it\'s "this"`', {"A": 'it\'s "this"'}),
        ('A="one\\ntwo"', {"A": "one\ntwo"}),
        ("A='one\\ntwo'", {"A": "one\\ntwo"}),
        ('A="one\ntwo # no\nthree" # yes\nB=2', {"A": "one\ntwo # no\nthree", "B": "2"}),
        ("A='{\"a\": 1}'", {"A": '{"a": 1}'}),
        ('A={"a": 1}', {"A": '{"a": 1}'}),
        ('A="open\nB=2', {"A": '"open', "B": "2"}),
        ('A="a" b', {"A": '"a" b'}),
        ("nonsense", {}),
        ("=1", {}),
        ("", {}),
    ],
)
def test_entries_are_read(text, found):
    """
    Names, quotes, comments and blanks mean what they mean to the platform's own tools.
    """
    assert found == dotenv.values(text)


def test_each_entry_has_its_line():
    """
    Values of several lines do not disturb the count; a line that is no entry is kept as it is.
    """
    lines = list(dotenv.parse('\nA="1\n2"\n what?\nB=3'))

    assert [(2, "A", "1\n2"), (4, "", "what?"), (5, "B", "3")] == [
        (each.number, each.name, each.value) for each in lines
    ]


@pytest.mark.parametrize(
    ("found", "expanded"),
    [
        ({"A": "a", "B": "$A-${A}"}, {"A": "a", "B": "a-a"}),
        ({"B": "$A", "A": "a"}, {"B": "a", "A": "a"}),
        ({"A": "${B:-b}", "C": "${A-c}"}, {"A": "b", "C": "b"}),
        ({"A": "$NOWHERE."}, {"A": "."}),
        ({"A": r"\$B costs $5"}, {"A": "$B costs $5"}),
        ({"A": "$B", "B": "$A"}, {"A": "", "B": ""}),
        ({"A": "${A}"}, {"A": ""}),
    ],
)
def test_references_are_put_in(found, expanded):
    """
    A reference may come before what it refers to; one that leads back to itself is empty.
    """
    assert expanded == dotenv.expand(found)


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True)


@given(st.dictionaries(NAMES, st.text().filter(lambda text: not {"'", "\r", "\\"} & set(text))))
def test_what_is_in_single_quotes_comes_back_as_it_is(found):
    """
    Single quotes protect everything but themselves.
    """
    assert found == dotenv.values("\n".join(f"{name}='{value}'" for name, value in found.items()))


@given(st.text(alphabet="A=\"'`#$\\ \n{}:x"))
def test_no_text_is_too_odd(text):
    """
    Whatever stands in a file, reading it ends, and lines count upward.
    """
    numbers = [line.number for line in dotenv.parse(text)]

    assert sorted(numbers) == numbers
