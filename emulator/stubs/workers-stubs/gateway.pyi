"""`workers.gateway` for type checkers and editors: that of the sdk, which stands there when the worker runs."""

from emulator.sdk.workers.gateway import BaseOptions as BaseOptions
from emulator.sdk.workers.gateway import EncodeBody as EncodeBody
