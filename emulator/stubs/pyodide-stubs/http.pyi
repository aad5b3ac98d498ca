"""`pyodide.http` for type checkers and editors: that of the sdk, which stands there when the worker runs."""

from emulator.sdk.pyodide.http import *
