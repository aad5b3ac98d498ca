"""The emulator as a whole: what it says of its configs, and who may be served together."""

from support import HELLO


async def test_a_warning_about_the_config_is_said_once(emu):
    """
    A key nobody knows is named with its line, at the start and not again at each reload.
    """
    await emu.start(HELLO, config='mode = "fast"\n')
    await emu.reload()

    assert 1 == emu.lines.count("wrangler.toml:6: mode: there is no such key")


async def test_a_tick_is_said_in_one_line(emu):
    """
    An event is a line: its kind, what it is about, how it ended.
    """
    await emu.start("async def scheduled(controller, env, ctx):\n    pass\n")
    await emu.tick("0 9 * * *")

    assert "CRON   0 9 * * *                    ok" in emu.lines


async def test_the_trace_of_a_failed_import_begins_with_the_workers_own_line(emu):
    """
    How we import a worker is not what its author wants to read.
    """
    emu.save("prices.py", "def of(item:\n")
    await emu.start("import prices\n")
    text = (await emu.get("/")).text

    assert 'entry.py", line 1, in <module>\n    import prices' in text
    assert "importlib" not in text
