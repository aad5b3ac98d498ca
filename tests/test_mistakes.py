"""Mistakes that people make in a worker, and what they are told."""

import pytest

RETURNS = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return {}

class Other(WorkerEntrypoint):
    def fetch(self, request):
        return 1
"""


@pytest.mark.parametrize(
    ("code", "text", "line"),
    [
        pytest.param(RETURNS.format("None"), "got NoneType (", 5, id="nothing"),
        pytest.param(
            RETURNS.format("None"), "; is there a way through it without `return`?", 5, id="what to do about it"
        ),
        pytest.param(RETURNS.format('"hello"'), "; write Response(…)", 5, id="text"),
        pytest.param(RETURNS.format('{"a": 1}'), "; write Response.json(…)", 5, id="a dict"),
        pytest.param("\n\ndef on_fetch(request):\n    return [1]", "; write Response.json(…)", 3, id="a function"),
        pytest.param("async def fetch(request):\n    return 1", "got int (", 1, id="a function of that name"),
    ],
)
async def test_a_handler_that_returns_no_response(emu, code, text, line):
    """
    The error names the handler's file and line, and what to write.
    """
    emu.save("entry.py", code)
    answer = await (await emu.start()).get("/")

    assert 500 == answer.status
    assert "TypeError: fetch() must return a Response, got " in answer.text
    assert text in answer.text
    assert f"({emu.folder / 'entry.py'}:{line})" in answer.text


async def test_a_named_entrypoint_that_returns_no_response(emu):
    """
    It is that one's handler that is named.
    """
    services = '\nservices = [{ binding = "OTHER", service = "test-worker", entrypoint = "Other" }]\n'
    code = RETURNS.replace("{}", 'await self.env.OTHER.fetch("http://other/")')
    answer = await (await emu.start(code, config=services)).get("/")

    assert f"({emu.folder / 'entry.py'}:9)" in answer.text


async def test_an_error_of_javascript_is_called_what_people_import(emu):
    """
    A traceback has the class's public name, not that of a module of ours.
    """
    code = RETURNS.replace("{}", "js.URL.new('nowhere')").replace("from workers", "import js\nfrom workers", 1)
    answer = await (await emu.start(code)).get("/")

    assert "\npyodide.ffi.JsException: TypeError: " in answer.text
    assert "emulator.sdk" not in emu.lines


FLOW = """
from pyodide.ffi import JsException
from workers import WorkflowEntrypoint

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do(config={"retries": {"limit": 0, "delay": 0}})
        async def charge():
            raise JsException("RangeError", "too far")

        try:
            await charge()
        except JsException as error:
            await step.sleep("a while", "1 hour")
            return [error.name, error.message, str(error)]
"""


async def test_an_error_of_javascript_survives_a_replay(emu):
    """
    A step that failed with one fails with the same when the code is run again.
    """
    await emu.start(FLOW, config='\n[[workflows]]\nname = "order"\nbinding = "ORDER"\nclass_name = "Order"\n')
    order = await emu.create("order")
    await emu.restart()
    await emu.advance(hours=1)

    assert ["RangeError", "too far", "RangeError: too far"] == order.output
