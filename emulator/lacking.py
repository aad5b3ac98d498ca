"""What the platform lacks and CPython has, with what to use instead. Tables for `emulator check --production`."""

from __future__ import annotations

_NO_THREADS = "threads cannot be started; use asyncio.create_task() or asyncio.gather()"
_NO_PROCESSES = "there are no other processes; call a library, or another worker over a service binding"
_NO_FILES = "files cannot be kept: the bundle is read-only, and the rest is gone with the worker; use a binding"
_NO_SOCKETS = "there are no sockets before compatibility date 2026-09-08; use workers.fetch()"
_INLINE = "it runs on the loop's own thread there, and blocks all requests; use await, or make the work shorter"

# A name with a dot at its end stands for all that begins with it.
CALLS = {
    "asyncio.create_subprocess_exec": _NO_PROCESSES,
    "asyncio.create_subprocess_shell": _NO_PROCESSES,
    "asyncio.to_thread": _INLINE,
    "concurrent.futures.ProcessPoolExecutor": _NO_PROCESSES,
    "concurrent.futures.ThreadPoolExecutor": _NO_THREADS,
    "input": "nobody can type anything there",
    "multiprocessing.": _NO_PROCESSES,
    "os.exec": _NO_PROCESSES,
    "os.fork": _NO_PROCESSES,
    "os.kill": _NO_PROCESSES,
    "os.makedirs": _NO_FILES,
    "os.mkdir": _NO_FILES,
    "os.popen": _NO_PROCESSES,
    "os.remove": _NO_FILES,
    "os.rename": _NO_FILES,
    "os.spawn": _NO_PROCESSES,
    "os.system": _NO_PROCESSES,
    "os.unlink": _NO_FILES,
    "shutil.copy": _NO_FILES,
    "shutil.move": _NO_FILES,
    "signal.signal": "there are no signals",
    "subprocess.": _NO_PROCESSES,
    "threading.Thread": _NO_THREADS,
    "threading.Timer": _NO_THREADS,
    "time.sleep": "it blocks all other requests here, and uses up this one's time there; use await asyncio.sleep()",
}
SOCKETS = {
    "asyncio.open_connection": _NO_SOCKETS,
    "asyncio.start_server": _NO_SOCKETS,
    "http.client.": _NO_SOCKETS,
    "smtplib.": _NO_SOCKETS,
    "socket.": _NO_SOCKETS,
}
# Methods of paths and files, whatever they are called on.
WRITING = dict.fromkeys(("mkdir", "rmdir", "touch", "unlink", "write_bytes", "write_text"), _NO_FILES)

_ENTROPY = "random numbers cannot be had while a module is imported; move it into a handler"
_REQUEST = "requests cannot be made while a module is imported; move it into a handler"
AT_IMPORT = {
    "asyncio.run": "nothing can be waited for while a module is imported; move it into a handler",
    "httpx.": _REQUEST,
    "js.crypto.": _ENTROPY,
    "js.fetch": _REQUEST,
    "numpy.random.": _ENTROPY,
    "os.urandom": _ENTROPY,
    "random.": _ENTROPY,
    "requests.": _REQUEST,
    "secrets.": _ENTROPY,
    "urllib.request.": _REQUEST,
    "uuid.uuid1": _ENTROPY,
    "uuid.uuid4": _ENTROPY,
    "workers.fetch": _REQUEST,
}

_MODULES = """
curses dbm ensurepip fcntl grp idlelib lib2to3 msvcrt pty pwd resource syslog termios tkinter tty turtle turtledemo venv
winreg winsound
"""
MODULES = frozenset(_MODULES.split())

BUNDLED = frozenset((".py", ".txt", ".html", ".sql", ".bin", ".wasm"))

# Packages with compiled parts that the platform has, by the name they are imported under.
_CARRIED = """
_cffi_backend _yaml aiohttp apsw argon2 astropy awkward bcrypt Bio bitarray brotli cbor2 cffi charset_normalizer
contourpy coverage cramjam crc32c Crypto cryptography cv2 cytoolz fiona fontTools frozenlist geopandas gmpy2 h5py
httptools ijson imageio jiter kiwisolver lightgbm lxml lz4 markupsafe matplotlib mmh3 msgpack multidict nacl netCDF4
numcodecs numpy optlang orjson pandas PIL polars propcache pyarrow pydantic_core pyproj pyrsistent pysam pywt
rapidfuzz rasterio regex rpds ruamel safetensors scipy shapely simplejson skimage sklearn soxr sqlalchemy statsmodels
tiktoken tokenizers tree_sitter ujson wrapt xgboost xxhash yaml yarl zstandard
"""
CARRIED = frozenset(_CARRIED.split())
