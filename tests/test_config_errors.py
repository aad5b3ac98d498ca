"""What a config complains about: each complaint has file, line and key, and says what was expected."""

import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_config import MINIMAL, _apart, complaints, loaded, written

from emulator import config
from emulator.config import keys
from emulator.errors import ConfigError

__all__ = ["_apart"]

LINES = MINIMAL.count("\n")


def rows(*lines):
    return "\n".join(lines)


CONSUMER = '[[queues.consumers]]\nqueue = "orders"'
WORKFLOW = '[[workflows]]\nname = "order"\nbinding = "ORDER"\nclass_name = "Order"'

ERRORS = {
    "wrong type": ("account_id = 7", 1, "account_id: expected text, got 7"),
    "true is no number": ("[dev]\nport = true", 2, "dev.port: expected a whole number from 0 to 65535, got true"),
    "a date is no text": (
        "base_dir = 2026-06-01",
        1,
        "base_dir: expected text, got the date or time 2026-06-01; put it in quotes to make it text",
    ),
    "not a table": ('vars = "a"', 1, 'vars: expected a table, got "a"'),
    "not a list": (
        "[workflows]",
        1,
        "workflows: expected a list of tables ([[workflows]] in TOML), got {}",
    ),
    "a list of something else": ("kv_namespaces = [1]", 1, "kv_namespaces[0]: expected a table, got 1"),
    "not one of": (
        'compliance_region = "mars"',
        1,
        'compliance_region: expected one of public, fedramp_high; got "mars"',
    ),
    "a removed key": ("node_compat = true", 1, "node_compat: it has been removed; Python workers do not need it"),
    "a variable that is a date": (
        "[vars]\nSINCE = 2026-01-01",
        2,
        'vars.SINCE: a variable cannot be a date; put it in quotes: "2026-01-01"',
    ),
    "a date within a variable": (
        "[vars]\nA = [{ b = 07:30:00 }]",
        2,
        'vars.A: a variable cannot be a date; put it in quotes: "07:30:00"',
    ),
    "a variable without end": (
        "[vars]\nA = inf",
        2,
        "vars.A: a variable cannot be inf; put it in quotes to make it text",
    ),
    "a define that is no text": ("[define]\nA = 1", 2, "define.A: expected text, got 1"),
    "secrets": ("[secrets]\nrequired = [1]", 2, "secrets.required[0]: expected text, got 1"),
    "a batch of ten": (
        CONSUMER + '\nmax_batch_size = "ten"',
        3,
        'queues.consumers[0].max_batch_size: expected a whole number from 1 to 100, got "ten"',
    ),
    "an empty batch": (
        CONSUMER + "\nmax_batch_size = 0",
        3,
        "queues.consumers[0].max_batch_size: expected a whole number from 1 to 100, got 0",
    ),
    "half a retry": (
        CONSUMER + "\nmax_retries = 1.5",
        3,
        "queues.consumers[0].max_retries: expected a whole number from 0 to 100, got 1.5",
    ),
    "a long batch": (
        CONSUMER + "\nmax_batch_timeout = 61",
        3,
        "queues.consumers[0].max_batch_timeout: expected a whole number from 0 to 60, got 61",
    ),
    "a long delay": (
        CONSUMER + "\nretry_delay = 86401",
        3,
        "queues.consumers[0].retry_delay: expected a whole number from 0 to 86400, got 86401",
    ),
    "a pull consumer": (
        CONSUMER + '\ntype = "http_pull"',
        3,
        'queues.consumers[0].type: expected "worker", the only kind of consumer a config can have; got "http_pull"'
        "; take it out, and say `emulator queues consumer http add NAME`, or the same to wrangler, while it is served",
    ),
    "two consumers": (
        CONSUMER + "\n" + CONSUMER,
        4,
        'queues.consumers[1].queue: "orders" has a consumer already; a queue has one',
    ),
    "its own dead letters": (
        CONSUMER + '\ndead_letter_queue = "orders"',
        3,
        "queues.consumers[0].dead_letter_queue: a queue cannot be its own dead letter queue; name another",
    ),
    "a consumer of nothing": (
        "[[queues.consumers]]\nmax_retries = 1",
        1,
        "queues.consumers[0].queue: missing; give it some text",
    ),
    "a producer of nothing": (
        '[[queues.producers]]\nbinding = "A"\nqueue = ""',
        3,
        "queues.producers[0].queue: expected some text, got none",
    ),
    "producers that are text": (
        '[queues]\nproducers = "orders"',
        2,
        'queues.producers: expected a list of tables ([[producers]] in TOML), got "orders"',
    ),
    "a workflow's name": (
        WORKFLOW.replace('"order"', '"-a"'),
        2,
        'workflows[0].name: expected up to 64 letters, digits, _ and -, no - first; got "-a"',
    ),
    "a workflow without class": (
        '[[workflows]]\nname = "a"\nbinding = "A"',
        1,
        "workflows[0].class_name: missing; give it some text",
    ),
    "a workflow with a misspelt class": (
        WORKFLOW.replace("class_name", "classname"),
        1,
        "workflows[0].class_name: missing; is classname meant to be it?",
    ),
    "two workflows of a name": (
        WORKFLOW + "\n" + WORKFLOW.replace('"ORDER"', '"OTHER"'),
        6,
        'workflows[1].name: "order" is the name of another workflow already; each needs its own',
    ),
    "an empty schedule": (WORKFLOW + '\nschedules = ""', 5, "workflows[0].schedules: expected a cron, got empty text"),
    "no schedules": (
        WORKFLOW + "\nschedules = []",
        5,
        "workflows[0].schedules: expected at least one cron, got an empty list",
    ),
    "a schedule of the wrong type": (
        WORKFLOW + "\nschedules = 5",
        5,
        "workflows[0].schedules: expected a cron or a list of crons, got 5",
    ),
    "steps": (
        WORKFLOW + "\nlimits = { steps = 0 }",
        5,
        "workflows[0].limits.steps: expected a whole number from 1 to 9007199254740992, got 0",
    ),
    "limits of another's workflow": (
        WORKFLOW + '\nscript_name = "other"\nlimits = { steps = 5 }',
        6,
        'workflows[0].limits: belongs into the config of "other", the worker that runs the workflow',
    ),
    "crons that are text": (
        '[triggers]\ncrons = "* * * * *"',
        2,
        'triggers.crons: expected a list of texts, got "* * * * *"',
    ),
    "a cron that is a number": ("[triggers]\ncrons = [5]", 2, "triggers.crons[0]: expected text, got 5"),
    "the same cron": (
        '[triggers]\ncrons = [\n"0 0 * * SUN",\n"0 0 * * 1"]',
        4,
        'triggers.crons[1]: "0 0 * * 1" is there already, as "0 0 * * SUN"',
    ),
    "two routes": ('route = "a"\nroutes = ["b"]', 1, "route: a worker has either route or routes; keep one"),
    "a route": ("routes = [7]", 1, "routes[0]: expected a pattern, or a table with one; got 7"),
    "a rule": (
        '[[rules]]\ntype = "PythonModule"\nglobs = []',
        2,
        'rules[0].type: expected one of ESModule, CommonJS, CompiledWasm, Text, Data; got "PythonModule"',
    ),
    "a bucket": (
        '[[r2_buckets]]\nbinding = "A"\nbucket_name = "A_B"',
        3,
        "r2_buckets[0].bucket_name: expected 3 to 63 lower-case letters, digits and hyphens, no hyphen at an end;"
        ' got "A_B"',
    ),
    "a rate limit": (
        '[[ratelimits]]\nname = "A"\nnamespace_id = "1"\nsimple = { limit = 1, period = 30 }',
        4,
        "ratelimits[0].simple.period: expected 10 or 60",
    ),
    "no bindings": (
        "[durable_objects]",
        1,
        "durable_objects.bindings: missing; list the bindings, [[durable_objects.bindings]] in TOML",
    ),
    "an environment of no script": (
        '[[durable_objects.bindings]]\nname = "A"\nclass_name = "A"\nenvironment = "x"',
        4,
        "durable_objects.bindings[0].environment: says nothing without script_name; add it",
    ),
    "two kinds of classes": (
        'exports = { A = { type = "durable-object" } }\n[[migrations]]\ntag = "v1"',
        1,
        "exports: durable objects stand either in exports or in migrations; keep one",
    ),
    "assets and site": (
        '[assets]\ndirectory = "a"\n[site]\nbucket = "b"',
        1,
        "assets: a worker has either assets or site; keep one",
    ),
    "assets that are a file": (
        '[assets]\ndirectory = "entry.py"',
        2,
        "assets.directory: {folder}/entry.py is not a folder",
    ),
    "assets nowhere": ("[assets]", 1, "assets.directory: missing; give it some text"),
    "a rule for nobody": (
        '[assets]\ndirectory = "a"\nrun_worker_first = ["!/a"]',
        3,
        "assets.run_worker_first: expected at least one rule that begins with /",
    ),
    "a rule said already": (
        '[assets]\ndirectory = "a"\nrun_worker_first = ["/a/*", "/a/b"]',
        3,
        'assets.run_worker_first[1]: "/a/*" says this already',
    ),
    "a port twice": (
        'connect = [{ protocol = "tcp", port = 1 },\n{ protocol = "tcp", port = 1 }]',
        2,
        "connect[1].port: port 1 is taken by an entry above",
    ),
    "a name for two": (
        'kv_namespaces = [{ binding = "ORDER" }]\n' + WORKFLOW,
        4,
        'workflows[0].binding: "ORDER" is the name of several bindings: KV namespace and Workflow; give each its own',
    ),
    "a name twice": (
        '[[services]]\nbinding = "A"\nservice = "a"\n[[services]]\nbinding = "A"\nservice = "b"',
        5,
        'services[1].binding: "A" is the name of several bindings: Service (2 times); give each its own',
    ),
    "a name of a variable": (
        '[vars]\nA = "x"\n[[queues.producers]]\nbinding = "A"',
        4,
        'queues.producers[0].binding: "A" is the name of several bindings: variable and Queue; give each its own',
    ),
}


@pytest.mark.parametrize(("more", "line", "complaint"), ERRORS.values(), ids=ERRORS.keys())
def test_a_mistake_is_named_with_its_line(tmp_path, more, line, complaint):
    """
    One mistake gives one complaint, with the line it is on.
    """
    told = complaint.replace("{folder}", str(tmp_path))

    assert [f"wrangler.toml:{LINES + line}: {told}"] == complaints(tmp_path, MINIMAL + more)


HEAD = {
    "no name for a module": (
        'name = "a"',
        ['wrangler.toml: main: missing; name the main module: main = "src/entry.py"'],
    ),
    "a module of JavaScript": (
        'main = "index.js"',
        ['wrangler.toml:1: main: expected a Python module, ending in .py; got "index.js"'],
    ),
    "a module that is not there": ('main = "entri.py"', ["wrangler.toml:1: main: there is no file {folder}/entri.py"]),
    "a name": (
        'name = "My Shop"\nmain = "entry.py"',
        [
            "wrangler.toml:1: name: expected lower-case letters, digits, hyphens and underscores, no hyphen first;"
            ' got "My Shop"'
        ],
    ),
    "a date that is none": (
        'main = "entry.py"\ncompatibility_date = "2026-02-30"',
        ['wrangler.toml:2: compatibility_date: expected a date such as 2026-06-01, got "2026-02-30"'],
    ),
    "a date with dashes": (
        'main = "entry.py"\ncompatibility_date = "2026–02–03"',  # noqa: RUF001
        [
            'wrangler.toml:2: compatibility_date: expected hyphens in the date, got the longer dash in "2026–02–03"'  # noqa: RUF001
        ],
    ),
    "flags that contradict": (
        'main = "entry.py"\ncompatibility_flags = ["python_workflows",\n"disable_python_workflows"]',
        [
            'wrangler.toml:3: compatibility_flags[1]: "python_workflows" and "disable_python_workflows" contradict each'
            " other; keep one"
        ],
    ),
    "all at once": (
        'name = "A"\nmain = "index.js"\naccount_id = 7',
        [
            "wrangler.toml:1: name: expected lower-case letters, digits, hyphens and underscores, no hyphen first;"
            ' got "A"',
            'wrangler.toml:2: main: expected a Python module, ending in .py; got "index.js"',
            "wrangler.toml:3: account_id: expected text, got 7",
        ],
    ),
}


@pytest.mark.parametrize(("text", "told"), HEAD.values(), ids=HEAD.keys())
def test_the_workers_own_keys_are_checked(tmp_path, text, told):
    """
    Name, module, date and flags must be what the platform takes.
    """
    assert [each.replace("{folder}", str(tmp_path)) for each in told] == complaints(tmp_path, text)


@pytest.mark.parametrize(
    ("crons", "field"),
    [("* * * * 0", "day of week"), ("60 * * * *", "minute"), ("@daily", "nicknames"), ("* * * *", "five fields")],
)
def test_a_cron_that_the_platform_refuses_is_refused(tmp_path, crons, field):
    """
    The complaint says what is wrong with which field, for triggers and for the schedules of workflows.
    """
    told = complaints(
        tmp_path, MINIMAL + rows("[triggers]", f'crons = ["{crons}"]', WORKFLOW, f'schedules = "{crons}"')
    )

    assert [LINES + 2, LINES + 7] == [int(each.split(":")[1]) for each in told]
    assert all(field in each and crons in each for each in told)


WARNINGS = {
    "unknown": ("colour = 1", "colour: there is no such key, so it does nothing"),
    "misspelt": (
        "compatability_flags = []",
        "compatability_flags: there is no such key, so it does nothing; did you mean compatibility_flags?",
    ),
    "misspelt within": (
        CONSUMER + "\nmax_batchsize = 1",
        "queues.consumers[0].max_batchsize: there is no such key, so it does nothing; did you mean max_batch_size?",
    ),
    "swallowed": (
        '[triggers]\ncrons = []\naccount_id = "a"',
        "triggers.account_id: belongs to [triggers], below which it stands; a key of the worker goes above the first"
        " [table]",
    ),
    "swallowed by a list": (
        WORKFLOW + "\nminify = true",
        "workflows[0].minify: belongs to [workflows], below which it stands; a key of the worker goes above the first"
        " [table]",
    ),
    "swallowed by variables": (
        '[vars]\nA = "a"\nroute = "example.com/*"',
        "vars.route: belongs to [vars], below which it stands; a key of the worker goes above the first [table]",
    ),
    "a queue's name": (
        '[[queues.consumers]]\nqueue = "My Orders"',
        "queues.consumers[0].queue: the platform takes lower-case letters, digits and hyphens, at most 63; not"
        ' "My Orders"',
    ),
    "dead letters in a circle": (
        CONSUMER
        + '\ndead_letter_queue = "b"\n[[queues.consumers]]\nqueue = "b"\ndead_letter_queue = "c"\n'
        + '[[queues.consumers]]\nqueue = "c"\ndead_letter_queue = "b"',
        "queues.consumers[1].dead_letter_queue: its dead letters come back to it in a circle, and so are never given"
        " up",
    ),
    "a producer's delay": (
        '[[queues.producers]]\nbinding = "A"\nqueue = "a"\ndelivery_delay = 5',
        "queues.producers[0].delivery_delay: applied here; the platform keeps this setting with the queue and ignores"
        " it here",
    ),
    "many steps": (
        WORKFLOW + "\nlimits = { steps = 25001 }",
        "workflows[0].limits.steps: the platform allows at most 25000",
    ),
    "a remote workflow": (
        WORKFLOW + "\nremote = true",
        "workflows[0].remote: there is no such key, so it does nothing",
    ),
    "a name that Python cannot write": (
        '[[kv_namespaces]]\nbinding = "MY-KV"',
        "kv_namespaces[0].binding: env.MY-KV cannot be written in Python; use letters, digits and _",
    ),
    "an empty account": ('account_id = ""', "account_id: empty, and so ignored"),
    "https": (
        '[dev]\nlocal_protocol = "https"',
        "dev.local_protocol: https is not served here; the worker is reached by http",
    ),
    "a build": ('[build]\ncommand = "make"', "build.command: is not run here; run it yourself before you start"),
}


@pytest.mark.parametrize(("more", "told"), WARNINGS.values(), ids=WARNINGS.keys())
def test_what_works_and_should_not_be_so_is_warned_of(tmp_path, more, told):
    """
    A warning has the key and its line, and the config loads.
    """
    path, _, message = told.partition(": ")
    found = {each.path: each for each in loaded(tmp_path, MINIMAL + more).warnings}

    assert message == found[path].message
    assert found[path].line is not None
    assert found[path].line > LINES


def test_a_main_that_a_table_swallowed_is_shown_where_it_stands(tmp_path):
    """
    In TOML a key below a [table] belongs to it; the complaint points there rather than at nothing.
    """
    told = complaints(tmp_path, 'name = "a"\n[vars]\nA = 1\n\nmain = "entry.py"\n')

    assert [
        'wrangler.toml:5: vars.main: the worker lacks "main", since this one stands below a [table]; move it to the top'
    ] == told


def test_json_swallows_nothing(tmp_path):
    """
    Where braces say what belongs to what, a variable may be called like a key.
    """
    found = loaded(tmp_path, '{"main": "entry.py", "vars": {"route": "north"}}', "wrangler.json")

    assert {"route": "north"} == found.vars
    assert ["name", "compatibility_date", "compatibility_flags"] == [each.path for each in found.warnings]


def test_a_variable_called_like_a_key_is_no_trap_where_the_key_is_set(tmp_path):
    """
    A worker that has a name may have a variable `name`.
    """
    assert () == loaded(tmp_path, MINIMAL + '[vars]\nname = "x"').warnings


JSON = """{
  // the worker
  "main": "entry.py",
  "queues": {
    "consumers": [
      {"queue": "a"},
      {
        "queue": "b",
        "max_retries": "three"
      }
    ]
  }
}"""


def test_json_complaints_have_lines_too(tmp_path):
    """
    Comments and nesting do not confuse the line.
    """
    assert [
        'wrangler.jsonc:9: queues.consumers[1].max_retries: expected a whole number from 0 to 100, got "three"'
    ] == complaints(tmp_path, JSON, "wrangler.jsonc")


@pytest.mark.parametrize("key", sorted(keys.ALL))
def test_no_key_takes_just_anything(tmp_path, key):
    """
    The value of each key is looked at, if only for its type: no key of the table was forgotten.
    """
    text = MINIMAL if key not in ("name", "main", "compatibility_date", "compatibility_flags") else ""
    name = f'"{key}"'
    path = written(tmp_path, f"{name} = 07:30:00\n{text}")

    with pytest.raises(ConfigError) as raised:
        config.load(path)

    assert (key, 1) in [(each.path, each.line) for each in raised.value.problems]


def test_a_long_value_is_cut(tmp_path):
    """
    A complaint stays one line.
    """
    (told,) = complaints(tmp_path, MINIMAL + f'vars = "{"x" * 500}"')

    assert len(told) < 150


def test_whole_numbers_may_be_written_with_a_point(tmp_path):
    """
    10.0 is 10 to the platform's tools.
    """
    assert 10 == loaded(tmp_path, MINIMAL + CONSUMER + "\nmax_batch_size = 10.0").consumers[0].max_batch_size


NAMES = st.sampled_from([*sorted(keys.ALL), "binding", "name", "queue", "bindings", "crons", "producers", "consumers"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, ANYTHING, max_size=4), st.sampled_from([None, "a"]))
def test_no_config_is_too_odd(tmp_path, value, env):
    """
    Whatever a config says, it is loaded or complained about.
    """
    path = written(tmp_path, json.dumps({"main": "entry.py", **value}), "wrangler.json")

    with contextlib.suppress(ConfigError):
        assert path == config.load(path, env=env).path
