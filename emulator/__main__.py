"""`emulator`, or `python -m emulator`: the commands, and Ctrl-C before they are there."""

import importlib
import signal


def main() -> None:
    """Importing takes a moment, in which Ctrl-C is to end the process as it ends any other, and not in a traceback."""
    is_usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_usual:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    cli = importlib.import_module("emulator.cli")
    if is_usual:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cli.main()


if __name__ == "__main__":
    main()
