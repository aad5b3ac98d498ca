"""What a worker imports: `workers`, and stand-ins for `js`, `pyodide` and `asgi`. Knows nothing of the emulator."""
