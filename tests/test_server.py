"""The emulator as a whole: what it says of its configs, and who may be served together."""

from support import HELLO


async def test_a_warning_about_the_config_is_said_once(emu):
    """
    A key nobody knows is named with its line, at the start and not again at each reload.
    """
    await emu.start(HELLO, config='mian = "entry.py"\n')
    await emu.reload()

    assert 1 == emu.lines.count("wrangler.toml:6: mian: there is no such key")


async def test_a_tick_is_said_in_one_line(emu):
    """
    An event is a line: its kind, what it is about, how it ended.
    """
    await emu.start("async def scheduled(controller, env, ctx):\n    pass\n")
    await emu.tick("0 9 * * *")

    assert "CRON   0 9 * * *                    ok" in emu.lines
