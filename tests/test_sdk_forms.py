"""`FormData`, `Blob` and `File`."""

from __future__ import annotations

import pytest

from emulator.sdk.js.forms import File as JsFile
from emulator.sdk.js.forms import FormData as JsFormData
from emulator.sdk.workers import Blob, BlobEnding, File, FormData
from emulator.sdk.workers.buffers import Uint8Array
from emulator.sdk.workers.proxy import jsnull


def test_fields_may_repeat():
    """
    `append` adds, assignment replaces all, `delete` removes all; values become text as in JavaScript.
    """
    form = FormData({"a": 1, "b": True})
    form.append("a", None)
    form.append("c", "x")
    form["a"] = "new"
    form.delete("b")

    assert [("a", "new"), ("c", "x")] == list(form.items())
    assert (["a", "c"], ["new", "x"]) == (list(form), list(form.values()))


def test_a_missing_field_is_null():
    """
    As on the platform there is no KeyError, so `get` never uses its default; and a form has no length.
    """
    form = FormData()

    assert form["x"] is jsnull
    assert form.get("x", "default") is jsnull
    assert "x" not in form
    assert [] == form.get_all("x")
    with pytest.raises(TypeError):
        len(form)


@pytest.mark.parametrize("given", [[("a", "b")], "a=b", 7])
def test_a_form_is_made_of_a_dict_or_a_form(given):
    """
    Anything else is a TypeError with the platform's text.
    """
    with pytest.raises(TypeError, match=r"^Expected form_data to be a dict or an instance of FormData$"):
        FormData(given)


def test_a_list_is_no_value():
    """
    Assigning a list is a TypeError.
    """
    with pytest.raises(TypeError):
        FormData()["a"] = ["x"]


def test_the_javascript_form_is_the_same_form():
    """
    What is added through one is seen through the other.
    """
    inner = JsFormData.new()
    inner.append("a", "1")
    form = FormData(inner)
    form.append("f", Blob("x"), "n.txt")

    assert ("1", "n.txt") == (form["a"], form.js_object.get("f").name)
    assert [("a", "1")] == list(inner.entries())[:1]


@pytest.mark.parametrize(
    ("parts", "content"),
    [
        ("text", b"text"),
        (b"bytes", b"bytes"),
        (["a", b"b", bytearray(b"c"), memoryview(b"d"), Blob("e")], b"abcde"),
        (Uint8Array.new(b"xy"), b"xy"),
        (JsFile.new(["z"], "n"), b"z"),
        ([], b""),
    ],
)
async def test_what_a_blob_is_made_of(parts, content):
    """
    One part or many: text, buffers and other blobs.
    """
    blob = Blob(parts)

    assert (len(content), content) == (blob.size, await blob.bytes())


@pytest.mark.parametrize("parts", [7, [7], [None]])
def test_other_parts_are_refused(parts):
    """
    The error names the type.
    """
    with pytest.raises(TypeError, match=r"^Don't know how to handle <class '\w+'> for Blob\(\)$"):
        Blob(parts)


async def test_types_and_names():
    """
    A single blob passes on its type, and a file its date; in a list they are only content.
    """
    file = File(Blob("abc", "text/css"), "a.css", last_modified=5)

    assert ("text/css", "a.css", 5) == (file.content_type, file.name, file.last_modified)
    assert 5 == File(file, "b.css").last_modified
    assert "" == Blob([file]).content_type
    assert ("bc", "x/y") == (await file.slice(1, None, "x/y").text(), file.slice(1, None, "x/y").content_type)
    assert not hasattr(file, "type")
    assert "native" == BlobEnding.NATIVE
