"""What the platform lacks and CPython has, with what to use instead. Tables for `emulator check --production`."""

from __future__ import annotations

_NO_THREADS = "threads cannot be started; use asyncio.create_task() or asyncio.gather()"
_NO_PROCESSES = "there are no other processes; call a library, or another worker over a service binding"
_NO_FILES = "files cannot be kept: the bundle is read-only, and the rest is gone with the worker; use a binding"
_NO_SOCKETS = "there are no sockets before compatibility date 2026-09-08; use workers.fetch()"
_NO_DATABASE = f"{_NO_SOCKETS}, or reach the database over HTTP"
_INLINE = "it runs on the loop's own thread there, and blocks all requests; use await, or make the work shorter"

# A name with a dot at its end stands for all that begins with it.
CALLS = {
    "_thread.": _NO_THREADS,
    "anyio.to_thread.": _INLINE,
    "asyncio.create_subprocess_exec": _NO_PROCESSES,
    "asyncio.create_subprocess_shell": _NO_PROCESSES,
    "asyncio.to_thread": _INLINE,
    "concurrent.futures.ProcessPoolExecutor": _NO_PROCESSES,
    "concurrent.futures.ThreadPoolExecutor": _NO_THREADS,
    "input": "nobody can type anything there",
    "logging.FileHandler": _NO_FILES,
    "logging.handlers.RotatingFileHandler": _NO_FILES,
    "logging.handlers.TimedRotatingFileHandler": _NO_FILES,
    "multiprocessing.": _NO_PROCESSES,
    "os.exec": _NO_PROCESSES,
    "os.fork": _NO_PROCESSES,
    "os.kill": _NO_PROCESSES,
    "os.makedirs": _NO_FILES,
    "os.mkdir": _NO_FILES,
    "os.popen": _NO_PROCESSES,
    "os.posix_spawn": _NO_PROCESSES,
    "os.remove": _NO_FILES,
    "os.rename": _NO_FILES,
    "os.replace": _NO_FILES,
    "os.spawn": _NO_PROCESSES,
    "os.system": _NO_PROCESSES,
    "os.unlink": _NO_FILES,
    "shelve.open": _NO_FILES,
    "shutil.copy": _NO_FILES,
    "shutil.copyfile": _NO_FILES,
    "shutil.copytree": _NO_FILES,
    "shutil.move": _NO_FILES,
    "shutil.rmtree": _NO_FILES,
    "signal.signal": "there are no signals",
    "subprocess.": _NO_PROCESSES,
    "threading.Thread": _NO_THREADS,
    "threading.Timer": _NO_THREADS,
    "time.sleep": "it blocks all other requests here, and uses up this one's time there; use await asyncio.sleep()",
}
SOCKETS = {
    **dict.fromkeys(("asyncpg.", "psycopg.", "psycopg2.", "pymongo.", "pymysql.", "redis."), _NO_DATABASE),
    "aiosmtplib.": _NO_SOCKETS,
    "asyncio.open_connection": _NO_SOCKETS,
    "asyncio.start_server": _NO_SOCKETS,
    "ftplib.": _NO_SOCKETS,
    "http.client.": _NO_SOCKETS,
    "http.server.": _NO_SOCKETS,
    "imaplib.": _NO_SOCKETS,
    "poplib.": _NO_SOCKETS,
    "smtplib.": _NO_SOCKETS,
    "socket.": _NO_SOCKETS,
    "socketserver.": _NO_SOCKETS,
    "urllib.request.urlopen": _NO_SOCKETS,
    "urllib.request.urlretrieve": _NO_SOCKETS,
}
# Methods, whatever they are called on.
METHODS = {
    **dict.fromkeys(("mkdir", "rmdir", "symlink_to", "touch", "unlink", "write_bytes", "write_text"), _NO_FILES),
    "run_in_executor": _INLINE,
}
WRITES = _NO_FILES
"""Said of a file that is opened to be written."""

# Functions that open a file, with its mode as the second argument.
OPENS = frozenset(("bz2.open", "codecs.open", "gzip.open", "io.open", "lzma.open", "open", "tarfile.open"))
# Classes that read a folder, given by its name.
READS_FOLDER = frozenset(("FileSystemLoader", "Jinja2Templates", "StaticFiles"))

_ENTROPY = "random numbers cannot be had while a module is imported; move it into a handler"
_REQUEST = "requests cannot be made while a module is imported; move it into a handler"
_WAITING = "nothing can be waited for while a module is imported; move it into a handler"
_VERBS = ("delete", "get", "head", "options", "patch", "post", "put", "request", "stream")

AT_IMPORT = {
    **{f"{library}.{verb}": _REQUEST for library in ("aiohttp", "httpx", "requests") for verb in _VERBS},
    "asyncio.run": _WAITING,
    "js.crypto.": _ENTROPY,
    "js.fetch": _REQUEST,
    "numpy.random.": _ENTROPY,
    "os.urandom": _ENTROPY,
    "pyodide.ffi.run_sync": _WAITING,
    "pyodide.http.": _REQUEST,
    "random.": _ENTROPY,
    "secrets.": _ENTROPY,
    "urllib.request.urlopen": _REQUEST,
    "urllib3.request": _REQUEST,
    "uuid.uuid1": _ENTROPY,
    "uuid.uuid4": _ENTROPY,
    "workers.fetch": _REQUEST,
}
# These take a seed: with one they need no entropy.
SEEDED = frozenset(
    ("numpy.random.RandomState", "numpy.random.default_rng", "numpy.random.seed", "random.Random", "random.seed")
)

_MODULES = """
curses dbm ensurepip fcntl grp idlelib lib2to3 msvcrt pty pwd resource syslog termios tkinter tty turtle turtledemo venv
winreg winsound
"""
MODULES = frozenset(_MODULES.split())

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
