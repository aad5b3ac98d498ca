"""`import asgi` is another name for `workers.asgi`."""

import sys

from emulator.sdk.workers import asgi

sys.modules[__name__] = asgi
