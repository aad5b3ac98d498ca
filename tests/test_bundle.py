"""Which files go with a worker: the platform's rules and the config's."""

import pytest
from dev import Dev
from support import CONFIG

from emulator import config, leftovers
from emulator.bundle import Bundle, Rule
from emulator.errors import ConfigError


def text(*globs, fallthrough=False):
    return Rule("Text", globs, fallthrough)


@pytest.mark.parametrize(
    ("name", "rules", "is_taken"),
    [
        ("helper.py", [], True),
        ("a/b/page.html", [], True),
        ("query.sql", [], True),
        ("model.bin", [], True),
        ("data.json", [], False),
        ("style.css", [], False),
        ("data.json", [Rule("Data", ("**/*.json",))], True),
        ("a/data.json", [Rule("Data", ("*.json",))], False),
        ("a/data.json", [Rule("Data", ("a/*.json",))], True),
        ("a/b/data.json", [Rule("Data", ("a/**",))], True),
        ("data.json5", [Rule("Data", ("**/*.json",))], False),
        ("data.json", [Rule("Data", ("**/*.{json,csv}",))], False),
        ("page.html", [text("**/*.md")], False),
        ("page.html", [text("**/*.md", fallthrough=True)], True),
        ("page.html", [text("**/*.md", fallthrough=True), text("**/*.css")], False),
        ("model.bin", [text("**/*.md")], True),
    ],
)
def test_what_is_taken(name, rules, is_taken):
    """
    The first rule of a type ends the search among its type, the platform's own rules included, unless it falls through.
    """
    assert is_taken == (Bundle(tuple(rules)).why_not(name) is None)


def test_why_a_file_stays_behind():
    """
    The reason says what to change in the config.
    """
    assert "add a rule for it to `rules`" in Bundle().why_not("data.json")
    assert "of type Text before the one for it lacks fallthrough = true" in Bundle((text("*.md"),)).why_not("a.txt")
    assert "find_additional_modules = false" in Bundle(with_others=False).why_not("helper.py")


def load(folder, keys):
    (folder / "app").mkdir(exist_ok=True)
    (folder / "app" / "entry.py").touch()
    (folder / "wrangler.toml").write_text(CONFIG.replace('"entry.py"', '"app/entry.py"') + keys)
    return config.load(folder / "wrangler.toml")


def test_the_config_has_rules(tmp_path):
    """
    `rules` and `find_additional_modules` are read in their order.
    """
    found = load(
        tmp_path,
        'find_additional_modules = false\n[[rules]]\ntype = "Data"\nglobs = ["**/*.json"]\nfallthrough = true\n',
    )

    assert Bundle((Rule("Data", ("**/*.json",), True),), with_others=False) == found.bundle


def test_the_base_of_the_modules(tmp_path):
    """
    Modules are imported from the main module's folder, or from `base_dir`, which must hold it.
    """
    assert tmp_path / "app" == load(tmp_path, "").module_root
    assert tmp_path == load(tmp_path, 'base_dir = "."\n').module_root
    with pytest.raises(ConfigError, match=r"base_dir: the main module entry\.py does not lie in it"):
        load(tmp_path, 'base_dir = "other"\n')


RULE = '[[rules]]\ntype = "Data"\nglobs = ["**/*.json"]\n'


def test_what_the_rules_of_the_config_take(tmp_path):
    """
    They are files that the worker may have read when it was loaded; without rules nobody looks for any.
    """
    (tmp_path / "app" / "data").mkdir(parents=True)
    (tmp_path / "app" / "data" / "a.json").touch()
    (tmp_path / "app" / "page.html").touch()

    assert [] == leftovers.taken(load(tmp_path, ""))
    assert [tmp_path / "app" / "data" / "a.json"] == leftovers.taken(load(tmp_path, RULE))


@pytest.mark.slow
def test_a_saved_file_of_a_rule_is_a_reload(tmp_path):
    """
    What a rule takes along is read anew when it is saved, like a module.
    """
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.json").write_text("1")
    code = (
        "from pathlib import Path\nfrom workers import Response, WorkerEntrypoint\n"
        "DATA = (Path(__file__).parent / 'data' / 'a.json').read_text()\n"
        "class Default(WorkerEntrypoint):\n    def fetch(self): return Response(DATA)\n"
    )
    with Dev(tmp_path, code=code, config=RULE) as dev:
        assert "1" == dev.get("/").text

        dev.save("data/a.json", "2")
        dev.wait_for("RELOAD ")

        assert "2" == dev.get("/").text


async def test_a_worker_with_a_base(emu):
    """
    What lies beside `base_dir` is imported by its name within it, as on the platform.
    """
    emu.save("src/shared.py", "WORD = 'shared'")
    emu.save(
        "src/app/entry.py",
        "from shared import WORD\nfrom workers import Response, WorkerEntrypoint\n\n"
        "class Default(WorkerEntrypoint):\n    def fetch(self):\n        return Response(f'{WORD} {__name__}')\n",
    )
    emu.config = emu.config.replace('"entry.py"', '"src/app/entry.py"\nbase_dir = "src"')
    await emu.start(config="\n")

    assert "shared app.entry" == (await emu.get("/")).text
