"""How a project may be laid out: src, vendored packages, bundled files, old names; what is said of missing ones."""

import json

import pytest

FETCH = """
from workers import Response, WorkerEntrypoint
{imports}
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(str({expression}))
"""


def worker(imports, expression):
    return FETCH.format(imports=imports, expression=expression)


async def under_src(emu, code):
    emu.config = emu.config.replace('"entry.py"', '"src/entry.py"')
    emu.save("src/entry.py", code)
    await emu.start(config="\n")
    return await emu.get("/")


async def test_modules_beside_the_main_one(emu):
    """
    With the main module under src, others there are imported by their bare names.
    """
    emu.save("src/shop/__init__.py", "")
    emu.save("src/shop/prices.py", "TEA = 3")

    assert "3" == (await under_src(emu, worker("from shop.prices import TEA", "TEA"))).text


async def test_vendored_packages(emu):
    """
    `python_modules` beside the config is looked into last.
    """
    emu.save("python_modules/vendored_thing/__init__.py", "NAME = 'vendored'")

    assert "vendored" == (await under_src(emu, worker("import vendored_thing", "vendored_thing.NAME"))).text


async def test_a_file_beside_the_code(emu):
    """
    A bundled file is found by the path of the module.
    """
    emu.save("src/page.html", "<p>page</p>")
    code = worker("from pathlib import Path", "(Path(__file__).parent / 'page.html').read_text()")

    assert "<p>page</p>" == (await under_src(emu, code)).text


@pytest.mark.parametrize("name", ["workers", "js", "asgi", "pyodide"])
async def test_our_modules_win(emu, name):
    """
    A vendored copy of the platform's own modules does not get in the way.
    """
    emu.save(f"python_modules/{name}/__init__.py", "raise RuntimeError('not this one')")
    answer = await under_src(emu, worker(f"import {name}", f"{name}.__file__"))

    assert "sdk" in answer.text


async def test_the_old_name_of_workers(emu):
    """
    Old examples import it from `cloudflare`.
    """
    answer = await under_src(emu, worker("import cloudflare.workers as old\nimport workers", "old is workers"))

    assert "True" == answer.text


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        pytest.param("import no_such_thing", "install it there, or point --python", id="nobody knows it"),
        pytest.param("import needed_thing", "pyproject.toml names it: `uv sync`", id="the project asks for it"),
        pytest.param("import src.shop", 'leave the "src." out', id="imported from outside"),
        pytest.param("from js import process", "js.process is not emulated", id="a name of JavaScript"),
        pytest.param("from pyodide.code import eval_code", "use eval() and exec()", id="a name of Pyodide"),
        pytest.param("import pyodide.console", 'the emulator has no "pyodide.console"', id="a module of Pyodide"),
        pytest.param("import pyodide_js", 'the emulator has no "pyodide_js"', id="an inner part of Pyodide"),
        pytest.param("from workers import WebSocketPair", "the platform has it in `js`", id="in the wrong module"),
    ],
)
async def test_a_missing_module_says_what_to_do(emu, imports, expected):
    """
    The error names the module, and the way out.
    """
    emu.save("pyproject.toml", '[project]\ndependencies = ["needed-thing>=1"]\n')

    assert expected in (await under_src(emu, worker(imports, "1"))).text


async def test_null_in_json(emu):
    """
    A field that a form lacks is JavaScript's null, and can be written as JSON; what else cannot still cannot.
    """
    code = worker("import json\nfrom pyodide.ffi import jsnull", "json.dumps({'a': jsnull})")

    assert '{"a": null}' == (await under_src(emu, code)).text
    with pytest.raises(TypeError):
        json.dumps(object())


async def test_a_handler_that_would_fail_later_is_named_at_once(emu):
    """
    A signature that the platform cannot call is shown when the worker is loaded.
    """
    await emu.start(worker("", "1") + "    async def queue(self, batch):\n        pass\n")

    assert "entry.py:7: queue() must take exactly three arguments after self" in emu.lines
