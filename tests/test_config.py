"""What a config says reaches the worker: finding the file, its formats, every key, flags by date."""

from datetime import timedelta
from pathlib import Path

import pytest

from emulator import config
from emulator.config import Assets, Consumer, Dev, Producer, Route, Service, Unsupported, Workflow, keys
from emulator.config.node import Node
from emulator.errors import ConfigError

MINIMAL = """
name = "shop"
main = "entry.py"
compatibility_date = "2026-06-01"
compatibility_flags = ["python_workers"]
"""

FULL = (
    MINIMAL
    + """
"$schema" = "node_modules/wrangler/config-schema.json"
account_id = "0123"
addresses = ["help@example.com"]
base_dir = "."
compliance_region = "public"
find_additional_modules = true
first_party_worker = false
jsx_factory = "h"
jsx_fragment = "f"
keep_names = true
keep_vars = true
logpush = true
minify = false
no_bundle = true
pages_build_output_dir = "out"
preserve_file_names = true
preview_urls = false
routes = ["shop.example.com/*", { pattern = "https://example.com:8443/shop/*", zone_name = "example.com" }]
send_metrics = false
tsconfig = "tsconfig.json"
upload_source_maps = true
workers_dev = true

[access]
[alias]
old = "new"
[assets]
directory = "public"
binding = "ASSETS"
html_handling = "none"
not_found_handling = "404-page"
run_worker_first = ["/api/*", "!/api/docs/*"]
[build]
cwd = "."
watch_dir = ["src", "lib"]
[cache]
[cloudchamber]
[data_blobs]
DATA = "data.bin"
[define]
DEBUG = "true"
[dependencies_instrumentation]
enabled = false
[dev]
ip = "0.0.0.0"
port = 9000
host = "example.com"
inspector_port = 9229
inspector_ip = "127.0.0.1"
local_protocol = "http"
upstream_protocol = "https"
enable_containers = false
container_engine = "docker"
generate_types = false
[exports.Api]
type = "worker"
[limits]
cpu_ms = 50
subrequests = 10
[[migrations]]
tag = "v1"
new_sqlite_classes = ["Room"]
renamed_classes = [{ from = "A", to = "B" }]
transferred_classes = [{ from = "A", from_script = "old", to = "B" }]
[observability]
enabled = true
[placement]
mode = "smart"
[previews]
[python_modules]
exclude = ["**/*.pyc"]
[[rules]]
type = "Text"
globs = ["**/*.txt"]
[secrets]
required = ["TOKEN"]
[text_blobs]
TEXT = "text.txt"
[triggers]
crons = ["*/15 * * * *", "0 9 * * MON"]
[[triggers.events]]
type = "cf.artifacts.repo.pushed"
targets = [{ type = "workflow", workflow_name = "order" }]
[vars]
GREETING = "Hello"
LIMIT = 3
TAGS = ["a", { b = true }]
[wasm_modules]
WASM = "a.wasm"

[[queues.producers]]
binding = "ORDERS"
queue = "orders"
[[queues.producers]]
binding = "PLAIN"
delivery_delay = 5
remote = false
[[queues.consumers]]
queue = "orders"
type = "worker"
max_batch_size = 100
max_batch_timeout = 0
max_retries = 0
retry_delay = 30
dead_letter_queue = "dead"
max_concurrency = 2
visibility_timeout_ms = 1000
[[queues.consumers]]
queue = "dead"

[[workflows]]
name = "order"
binding = "ORDER"
class_name = "Order"
schedules = ["0 * * * *"]
limits = { steps = 100 }
[[workflows]]
name = "theirs"
binding = "THEIRS"
class_name = "Theirs"
script_name = "other"

[[services]]
binding = "AUTH"
service = "auth"
entrypoint = "Admin"
props = { level = 2 }

[[agent_memory]]
binding = "MEMORY"
[ai]
binding = "AI"
[[ai_search]]
binding = "SEARCH"
[[ai_search_namespaces]]
binding = "SEARCHES"
[[analytics_engine_datasets]]
binding = "STATS"
dataset = "stats"
[[artifacts]]
binding = "ARTIFACTS"
[browser]
binding = "BROWSER"
[[connect]]
protocol = "tcp"
port = 25
address = "mail"
[[containers]]
class_name = "Box"
[[d1_databases]]
binding = "DB"
database_id = "x"
database_name = "shop"
[[dispatch_namespaces]]
binding = "DISPATCH"
namespace = "n"
[[durable_objects.bindings]]
name = "ROOM"
class_name = "Room"
[[flagship]]
binding = "FLAGS"
[[hyperdrive]]
binding = "PG"
id = "x"
[images]
binding = "IMAGES"
[[kv_namespaces]]
binding = "CACHE"
id = "x"
[[logfwdr.bindings]]
name = "LOGS"
destination = "d"
[media]
binding = "MEDIA"
[[mtls_certificates]]
binding = "CERT"
certificate_id = "x"
[[pipelines]]
binding = "PIPE"
pipeline = "p"
[[r2_buckets]]
binding = "FILES"
bucket_name = "files"
[[ratelimits]]
name = "RATE"
namespace_id = "1"
simple = { limit = 10, period = 60 }
[[secrets_store_secrets]]
binding = "KEY"
store_id = "s"
secret_name = "k"
[[send_email]]
name = "MAIL"
destination_address = "a@example.com"
[stream]
binding = "STREAM"
[[streaming_tail_consumers]]
service = "tail"
[[tail_consumers]]
service = "tail"
[unsafe]
[[unsafe.bindings]]
name = "UNSAFE"
type = "t"
[[unsafe_hello_world]]
binding = "HELLO"
[[vectorize]]
binding = "INDEX"
index_name = "i"
[version_metadata]
binding = "VERSION"
[[vpc_networks]]
binding = "NET"
[[vpc_services]]
binding = "VPC"
service_id = "s"
[websearch]
binding = "WEB"
[[worker_loaders]]
binding = "LOADER"

[env.staging]
name = "shop-two"
"""
)

UNSUPPORTED = {
    "AI": "AI",
    "ARTIFACTS": "Artifacts",
    "BROWSER": "Browser Rendering",
    "CACHE": "KV namespace",
    "CERT": "mTLS certificate",
    "DATA": "data blob",
    "DB": "D1 database",
    "DISPATCH": "dispatch namespace",
    "FILES": "R2 bucket",
    "FLAGS": "Flagship",
    "HELLO": "Hello World",
    "IMAGES": "Images",
    "INDEX": "Vectorize index",
    "KEY": "Secrets Store secret",
    "LOADER": "Worker Loader",
    "LOGS": "logfwdr",
    "MAIL": "Send Email",
    "MEDIA": "Media",
    "MEMORY": "Agent Memory",
    "NET": "VPC network",
    "PG": "Hyperdrive config",
    "PIPE": "Pipeline",
    "RATE": "Rate Limit",
    "ROOM": "Durable Object",
    "SEARCH": "AI Search instance",
    "SEARCHES": "AI Search namespace",
    "STATS": "Analytics Engine dataset",
    "STREAM": "Stream",
    "TEXT": "text blob",
    "UNSAFE": "unsafe",
    "VERSION": "version metadata",
    "VPC": "VPC service",
    "WASM": "Wasm module",
    "WEB": "Web Search",
}


def written(folder, text, name="wrangler.toml"):
    """A project of one module and this config."""
    (folder / "entry.py").touch()
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def loaded(folder, text, name="wrangler.toml", **options):
    return config.load(written(folder, text, name), **options)


def complaints(folder, text, name="wrangler.toml", **options):
    """What is wrong with a config, a line each."""
    with pytest.raises(ConfigError) as raised:
        loaded(folder, text, name, **options)
    return [str(problem) for problem in raised.value.problems]


@pytest.fixture(autouse=True)
def _apart(tmp_path, monkeypatch):
    """No environment from outside, and the project's folder as the one to work in."""
    for name in ("ENV", "LOAD_DEV_VARS_FROM_DOT_ENV", "INCLUDE_PROCESS_ENV"):
        monkeypatch.delenv(f"CLOUDFLARE_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


# Finding


@pytest.mark.parametrize("name", ["wrangler.json", "wrangler.jsonc", "wrangler.toml"])
def test_a_config_is_found_in_a_folder_above(tmp_path, name):
    """
    Each format is found from a folder below.
    """
    (tmp_path / name).touch()
    (tmp_path / "src" / "deep").mkdir(parents=True)

    assert tmp_path / name == config.find(tmp_path / "src" / "deep")


def test_the_format_counts_before_the_distance(tmp_path):
    """
    A wrangler.json above wins over a wrangler.toml right here.
    """
    (tmp_path / "wrangler.json").touch()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "wrangler.toml").touch()

    assert tmp_path / "wrangler.json" == config.find(tmp_path / "src")


def test_without_a_config_there_is_none(tmp_path):
    """
    A folder called like a config is none.
    """
    (tmp_path / "wrangler.toml").mkdir()

    assert config.find(tmp_path) in (None, *(each / "wrangler.toml" for each in tmp_path.parents))


def test_a_second_config_in_the_folder_is_told(tmp_path):
    """
    Who edits the file that is not read hears of it.
    """
    written(tmp_path, "{}", "wrangler.json")

    assert ["wrangler.json: not read, since wrangler.toml is"] == list(map(str, loaded(tmp_path, MINIMAL).warnings))


# Formats

JSONC = """\ufeff// A comment
{
    /* another, of
       two lines */
    "name": "shop", "main": "entry.py",  // "not": "this"
    "compatibility_date": "2026-06-01",
    "compatibility_flags": ["python_workers",],
    "vars": {"URL": "https://example.com/*not a comment*/", "LIST": [1, 2,],},
}
"""


@pytest.mark.parametrize("name", ["wrangler.json", "wrangler.jsonc"])
def test_json_may_have_comments_and_last_commas(tmp_path, name):
    """
    Both JSON formats take what editors leave in them; text is left alone.
    """
    found = loaded(tmp_path, JSONC, name)

    assert "shop" == found.name
    assert {"URL": "https://example.com/*not a comment*/", "LIST": [1, 2]} == found.vars


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("wrangler.toml", b'name = "a"\nmain = \n', "wrangler.toml:2: not valid TOML: invalid value, column 8"),
        ("wrangler.toml", b'name = "a', "wrangler.toml:1: not valid TOML: unterminated string"),
        ("wrangler.toml", b"a = 1\na = 2\n", "wrangler.toml:2: not valid TOML: cannot overwrite a value, column 6"),
        (
            "wrangler.toml",
            b'name = "a"\nworkflows = [{ name = "a" }]\n\n[[workflows]]\nname = "b"\n',
            "wrangler.toml:4: not valid TOML: workflows stands on line 2 already, with =, and"
            " a [table] cannot add to it; write all of it in one of the two ways",
        ),
        (
            "wrangler.toml",
            b'[env.a]\nqueues = {}\n[[env.a.queues.producers]]\nqueue = "b"\n',
            "wrangler.toml:3: not valid TOML: env.a.queues stands on line 2 already, with =, and"
            " a [table] cannot add to it; write all of it in one of the two ways",
        ),
        (
            "wrangler.toml",
            b"[vars]\nA = 1\n[dev]\n[vars]\nB = 2\n",
            "wrangler.toml:4: not valid TOML: vars stands on line 1 already, and a [table] is written once; move these"
            " lines there",
        ),
        (
            "wrangler.toml",
            b'vars = { A = "1" }\n[vars]\nB = "2"\n',
            "wrangler.toml:2: not valid TOML: vars stands on line 1 already, with =, and"
            " a [table] cannot add to it; write all of it in one of the two ways",
        ),
        (
            "wrangler.toml",
            b'name = "a"\nvars.A = "1"\n[vars]\nB = "2"\n',
            "wrangler.toml:3: not valid TOML: vars stands on line 2 already, with =, and"
            " a [table] cannot add to it; write all of it in one of the two ways",
        ),
        (
            "wrangler.toml",
            "# one\u2028line\n[vars]\n[vars]\n".encode(),
            "wrangler.toml:3: not valid TOML: vars stands on line 2 already, and a [table] is written once; move these"
            " lines there",
        ),
        ("wrangler.jsonc", b'{\n  // no\n  "a": ]\n}', "wrangler.jsonc:3: not valid JSON: expecting value, column 8"),
        ("wrangler.json", b"[1]", "wrangler.json:1: expected an object { … } around everything"),
        ("wrangler.json", b'{"a": NaN}', "wrangler.json: not valid JSON: NaN is no number there"),
        ("wrangler.json", b"[" * 100_000, "wrangler.json: not valid JSON: nested too deeply"),
        ("wrangler.toml", b"a = " + b"[" * 100_000, "wrangler.toml:1: not valid TOML: nested too deeply"),
        ("wrangler.yaml", b"", "wrangler.yaml: a config is a file that ends in .toml, .json or .jsonc"),
        (
            "wrangler.toml",
            b"\xff\xfea\0",
            "wrangler.toml: expected UTF-8, got UTF-16 (little-endian); save it as UTF-8",
        ),
        (
            "wrangler.toml",
            b"\xff\xfe\0\0",
            "wrangler.toml: expected UTF-8, got UTF-32 (little-endian); save it as UTF-8",
        ),
        (
            "wrangler.toml",
            b"#\n#\xe9\n",
            "wrangler.toml:2: expected UTF-8; byte 0xe9 is not part of any character there",
        ),
    ],
)
def test_an_unreadable_file_is_refused_with_its_line(tmp_path, name, content, complaint):
    """
    One line says what the file is not, and where.
    """
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(ConfigError) as raised:
        config.load(path)

    assert complaint.casefold() == str(raised.value).casefold()


def test_a_missing_file_is_an_error(tmp_path):
    """
    A config that is not there is named.
    """
    with pytest.raises(ConfigError) as raised:
        config.load(tmp_path / "wrangler.toml")

    assert "wrangler.toml: cannot be read: no such file or directory" == str(raised.value)


# Values


def test_a_small_config_has_defaults(tmp_path):
    """
    What is left out is what the platform takes it for.
    """
    found = loaded(tmp_path, MINIMAL)

    assert ("shop", tmp_path / "entry.py", tmp_path) == (found.name, found.main, found.module_root)
    assert (tmp_path / "wrangler.toml", tmp_path) == (found.path, found.root)
    assert ({}, (), (), (), (), ()) == (
        found.vars,
        found.workflows,
        found.producers,
        found.consumers,
        found.crons,
        found.routes,
    )
    assert (None, Dev(), ()) == (found.assets, found.dev, found.warnings)


def test_nearly_nothing_is_enough_and_says_what_it_lacks(tmp_path):
    """
    A main module is all that must be there; the rest is warned of.
    """
    found = loaded(tmp_path, 'main = "entry.py"')

    assert ("worker", "2026-06-01") == (found.name, found.compatibility_date)
    assert ["compatibility_date", "compatibility_flags", "name"] == sorted(each.path for each in found.warnings)


def full(folder, **options):
    (folder / ".dev.vars").write_text("TOKEN=t\n")
    return loaded(folder, FULL, **options)


def test_every_key_is_read(tmp_path):
    """
    A config with everything comes out as nouns.
    """
    found = full(tmp_path)

    assert {"GREETING": "Hello", "LIMIT": 3, "TAGS": ["a", {"b": True}], "TOKEN": "t"} == found.vars
    assert ("*/15 * * * *", "0 9 * * MON") == found.crons
    assert (
        Producer(binding="ORDERS", queue="orders"),
        Producer(binding="PLAIN", queue="PLAIN", delivery_delay=5),
    ) == found.producers
    assert (
        Consumer(
            queue="orders",
            max_batch_size=100,
            max_batch_timeout=timedelta(0),
            max_retries=0,
            retry_delay=timedelta(seconds=30),
            dead_letter_queue="dead",
            max_concurrency=2,
        ),
        Consumer(queue="dead"),
    ) == found.consumers
    assert (
        Workflow(binding="ORDER", name="order", class_name="Order", step_limit=100, schedules=("0 * * * *",)),
        Workflow(binding="THEIRS", name="theirs", class_name="Theirs", script_name="other"),
    ) == found.workflows
    assert (Service(binding="AUTH", service="auth", entrypoint="Admin", props={"level": 2}),) == found.services
    assert (
        Assets(
            directory=tmp_path / "public",
            binding="ASSETS",
            html_handling="none",
            not_found_handling="404-page",
            run_worker_first=("/api/*", "!/api/docs/*"),
        )
        == found.assets
    )
    assert ("0.0.0.0", 9000, "https") == (found.dev.ip, found.dev.port, found.dev.upstream_protocol)
    assert ("TOKEN",) == found.required_secrets


def test_bindings_that_are_not_emulated_are_known_by_name_and_kind(tmp_path):
    """
    Each keeps the platform's word for it, so that its first use can say so.
    """
    found = full(tmp_path).unsupported

    assert UNSUPPORTED == {each.binding: each.kind for each in found}
    assert Unsupported(binding="CACHE", kind="KV namespace") in found


def test_every_key_is_known(tmp_path):
    """
    A config with everything has no unknown keys, and the test above leaves no key of ours out.
    """
    found = full(tmp_path)
    top = {
        line.split(" =")[0].strip('"[]').split(".")[0]
        for line in FULL.splitlines()
        if line[:1].isalpha() or line[:1] in '"['
    }

    assert [] == [each for each in found.warnings if "no such key" in each.message]
    assert {"env", "route", "site"} >= keys.ALL - top


@pytest.mark.parametrize(
    ("line", "hosts"),
    [
        ('route = "shop.example.com/*"', ["shop.example.com"]),
        ('routes = ["*.example.com/a", "https://a.example.com:8443/*"]', ["*.example.com", "a.example.com"]),
        ('route = { pattern = "a.example.com", custom_domain = true }', ["a.example.com"]),
        ('route = ""', []),
    ],
    ids=["one", "several", "table", "empty"],
)
def test_a_route_has_a_host(tmp_path, line, hosts):
    """
    Routes may be text or tables; their hosts are what the worker may be called by.
    """
    assert hosts == [route.host for route in loaded(tmp_path, MINIMAL + line).routes]


def test_a_route_keeps_its_zone(tmp_path):
    """
    A route's table is read whole.
    """
    found = loaded(tmp_path, MINIMAL + 'route = { pattern = "a.example.com/*", zone_id = "z", enabled = true }')

    assert (Route(pattern="a.example.com/*", zone_id="z"),) == found.routes


# Flags


@pytest.mark.parametrize(
    ("date", "flags", "name", "is_on"),
    [
        ("2026-02-25", "", "python_workflows_implicit_dependencies", True),
        ("2026-02-24", "", "python_workflows_implicit_dependencies", False),
        ("2025-08-14", "", "python_no_global_handlers", True),
        ("2025-08-13", "", "python_no_global_handlers", False),
        ("2025-08-13", '"python_no_global_handlers"', "python_no_global_handlers", True),
        ("2026-06-01", '"disable_python_no_global_handlers"', "python_no_global_handlers", False),
        ("2024-03-18", "", "queues_json_messages", True),
        ("2024-03-17", "", "queues_json_messages", False),
        ("2026-06-01", '"no_queues_json_messages"', "queues_json_messages", False),
        ("2026-06-01", "", "python_workers", True),
        ("2026-06-01", "", "never_heard_of", False),
        ("2026-06-01", '"never_heard_of"', "never_heard_of", True),
    ],
)
def test_a_flag_is_on_by_name_or_by_date(tmp_path, date, flags, name, is_on):
    """
    A flag is on if it is listed or its date has come, unless its opposite is listed.
    """
    text = f'main = "entry.py"\ncompatibility_date = "{date}"\ncompatibility_flags = ["python_workers", {flags}]'

    assert is_on == loaded(tmp_path, text).has_flag(name)


# Form


def test_every_known_key_is_in_the_docs(tmp_path, monkeypatch):
    """
    Each key that the validator knows, in any table, is named in docs/config.md.
    """
    known = set(keys.ALL) | keys.REMOVED.keys()
    only = Node.only
    monkeypatch.setattr(Node, "only", lambda node, more: (known.update(more), only(node, more))[1])
    full(tmp_path)
    loaded(tmp_path, MINIMAL + '[site]\nbucket = "public"')
    docs = (Path(__file__).parent.parent / "docs" / "config.md").read_text("utf-8")

    assert [] == sorted(key for key in known if f"`{key}`" not in docs)
