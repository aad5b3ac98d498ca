"""wrangler drives a real `emulator dev`, through the REST API and with `--local`, and would deploy what we serve."""

import json
import re
import shutil

import pytest
from api import CODE, FLOW
from dev import PATIENCE, PROJECT, Dev, command
from wrangler import ACCOUNT, needs_wrangler, wrangler

from emulator.api.rest import PREFIX

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), needs_wrangler]

ORDER = f"{PREFIX}/accounts/local/workflows/order"
EVENT = ["--type", "approve", "--payload", '{"by": "ann"}']


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    with Dev(tmp_path_factory.mktemp("wrangler"), code=CODE, config=FLOW) as running:
        yield running


@pytest.fixture
def run(dev, tmp_path):
    """wrangler in an empty folder, told where the REST API is."""
    told = {
        "CLOUDFLARE_API_BASE_URL": f"http://127.0.0.1:{dev.port}{PREFIX}",
        "CLOUDFLARE_API_TOKEN": "any",
        "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
    }

    def run(*arguments, **environment):
        return wrangler(tmp_path, *arguments, home=tmp_path, environment={**told, **environment})

    yield run
    dev.request("DELETE", ORDER)


@pytest.fixture(params=["remote", "local"])
def flows(request, run, dev, tmp_path):
    """`wrangler workflows …`, through the REST API, or with --local and nothing to tell it about an account."""
    if request.param == "remote":
        return lambda *arguments: run("workflows", *arguments)
    local = ["--local", "--port", dev.port]
    return lambda *arguments: wrangler(tmp_path, "workflows", *arguments, *local, home=tmp_path)


@pytest.fixture
def until(dev):
    """Wait until an instance of "order" is so, and return it; the API is quicker to ask than wrangler."""

    def until(id, is_so):
        found = dev.until(f"{ORDER}/instances/{id}", lambda answer: is_so(answer.json["result"]), PATIENCE)
        assert is_so(found.json["result"]), found.text
        return found.json["result"]

    return until


@pytest.fixture
def approval(dev, until):
    """Start an instance and bring it to where it waits for its approval."""

    def approval(id):
        until(id, lambda shown: shown["steps"] and shown["steps"][0]["attempts"])
        for steps, duration in ((2, "1 second"), (3, "1 minute")):
            dev.post("/cdn-cgi/local/clock", {"advance": duration})
            until(id, lambda shown, steps=steps: len(shown["steps"]) == steps)

    return approval


# Workflows


def test_wrangler_drives_an_instance_to_its_end(flows, approval, until):
    """
    Trigger, see it wait and what its steps returned, send its event.
    """
    made = flows("trigger", "order", '{"sku": "tea"}', "--id", "tea").text
    approval("tea")
    waiting = flows("instances", "describe", "order", "latest").text
    listed = flows("instances", "list", "order", "--status", "waiting").text
    sent = flows("instances", "send-event", "order", "latest", *EVENT).text
    ended = until("tea", lambda shown: shown["status"] == "complete")

    assert '"tea"' in made
    assert re.search(r"Status: .*Waiting", waiting)
    assert all(words in waiting for words in ("charge-1", "ValueError: boom", "rest-1", "approval-1"))
    assert re.search(r"tea .*Waiting", listed)
    assert '"ann"' in sent
    assert ({"sku": "tea"}, '{"by":{"by":"ann"}}') == (ended["params"], ended["output"])


def test_wrangler_changes_an_instance(flows, dev, until):
    """
    Pause, resume, restart from a step, terminate, delete; each takes effect.
    """
    dev.post(f"{ORDER}/instances", {"instance_id": "tea"})
    changes = {
        "paused": ["pause", "order", "tea"],
        "waiting": ["resume", "order", "latest"],
        "terminated": ["terminate", "order", "tea", "--rollback"],
    }
    until("tea", lambda shown: shown["status"] == "waiting")
    for status, change in changes.items():
        assert 0 == flows("instances", *change).code

        until("tea", lambda shown, status=status: shown["status"] == status)

    step = ["--from-step-name", "charge", "--from-step-count", "1", "--from-step-type", "do"]

    assert 0 == flows("instances", "restart", "order", "tea", *step).code

    until("tea", lambda shown: shown["status"] == "waiting")
    deleted = flows("instances", "delete", "order", "tea", "never")

    assert (1, True, True) == (deleted.code, "tea" in deleted.out, "never" in deleted.err)


def test_wrangler_deletes_a_workflow(flows, dev):
    """
    Its instances go; the workflow itself stands in the config and stays.
    """
    dev.post(f"{ORDER}/instances", {"instance_id": "tea"})

    assert 0 == flows("delete", "order").code
    assert [] == dev.get(f"{ORDER}/instances").json["result"]
    assert "order" == dev.get(ORDER).json["result"]["name"]


@pytest.mark.parametrize("flows", ["local"], indirect=True)
def test_wrangler_looks_at_local_workflows(flows):
    """
    List and describe, without an account.
    """
    listed = flows("list").text
    described = flows("describe", "order", "--json").json

    assert all(word in listed for word in ("order", "test-worker", "Order"))
    assert ("order", "Order") == (described["name"], described["class_name"])


def test_wrangler_pages_filters_and_terminates_them_all(run, dev):
    """
    Pages follow a cursor, `--reverse` turns them round, dates cut them; nothing found is no error.
    """
    for number in range(3):
        dev.post(f"{ORDER}/instances", {"instance_id": f"tea-{number}"})
    instances = ("workflows", "instances")
    second = run(*instances, "list", "order", "--per-page", "1", "--page", "2", "--reverse", "--json").json
    early = run(*instances, "list", "order", "--date-start", "2020-01-01", "--date-end", "2020-12-31")
    stopped = run(*instances, "terminate-all", "order")
    statuses = [row["status"] for row in dev.get(f"{ORDER}/instances").json["result"]]

    assert ["tea-1"] == [row["id"] for row in second]
    assert (0, False) == (early.code, "tea" in early.out)
    assert (0, ["terminated"] * 3) == (stopped.code, statuses)


WORDS = re.compile(r"^ *([A-Z][A-Za-z ]+): |(?<=│ )([A-Z][A-Za-z ]+?)(?: \(UTC\))? +(?=│)", re.MULTILINE)


def words(text):
    """The names of rows and columns."""
    return {one or other for one, other in WORDS.findall(text)}


@pytest.mark.parametrize(
    "asked",
    [["list"], ["describe", "order"], ["instances", "list", "order"], ["instances", "describe", "order", "latest"]],
    ids=" ".join,
)
def test_our_own_commands_tell_what_wrangler_tells(run, dev, approval, asked):
    """
    The same JSON; the same rows and columns, and some more.
    """
    dev.post(f"{ORDER}/instances", {"instance_id": "tea", "params": {"sku": "tea"}})
    approval("tea")
    theirs, our_words = run("workflows", *asked).text, words(command(dev.folder, "workflows", *asked)[1])

    assert words(theirs)
    assert set() == words(theirs) - our_words
    assert run("workflows", *asked, "--json").json == json.loads(command(dev.folder, "workflows", *asked, "--json")[1])


def test_wrangler_says_what_is_wrong(flows):
    """
    An instance that is not there: exit code 1, and the API's reason.
    """
    missing = flows("instances", "pause", "order", "never")

    assert 1 == missing.code
    assert re.search(r"not_found|not found|does not exist", missing.err)


def test_wrangler_finds_the_account_by_itself(run):
    """
    Without an account id it asks whose token it has; there is one account, so it goes on.
    """
    known = run("whoami").text
    listed = run("workflows", "list", CLOUDFLARE_ACCOUNT_ID="").text

    assert all(word in known for word in ("emulator@localhost", ACCOUNT))
    assert "order" in listed


# Queues


def test_wrangler_makes_and_forgets_a_queue(run):
    """
    Create, change, look, delete.
    """
    for change in (["create", "fresh"], ["update", "fresh", "--delivery-delay-secs", "3"]):
        assert 0 == run("queues", *change).code

    listed = run("queues", "list").text

    assert all(name in listed for name in ("fresh", "orders"))
    assert 0 == run("queues", "delete", "fresh").code


def test_wrangler_pauses_and_purges_a_queue(run, dev):
    """
    Its delivery is paused and resumed, its messages are forgotten.
    """
    queue = f"{PREFIX}/accounts/local/queues/orders"
    dev.post(f"{queue}/messages", {"body": "tea"})
    paused = run("queues", "pause-delivery", "orders").code, dev.get(queue).json["result"]["settings"]
    resumed = run("queues", "resume-delivery", "orders").code, dev.get(queue).json["result"]["settings"]
    told = run("queues", "info", "orders").text

    assert (0, True) == (paused[0], paused[1]["delivery_paused"])
    assert (0, False) == (resumed[0], resumed[1]["delivery_paused"])
    assert "worker:test-worker" in told
    assert 0 == run("queues", "purge", "orders", "--force").code
    assert 0 == dev.get(f"{queue}/metrics").json["result"]["backlog_count"]


def test_wrangler_lets_a_queue_be_pulled_from(run):
    """
    A consumer that pulls is added, listed and removed.
    """
    added = run("queues", "consumer", "http", "add", "orders", "--message-retries", "7")
    listed = run("queues", "consumer", "list", "orders").text

    assert 0 == added.code
    assert all(words in listed for words in ("HTTP pull", "max_retries", "7"))
    assert 0 == run("queues", "consumer", "http", "remove", "orders").code


# Deploying


def deployed(folder, home):
    """What wrangler says it would upload."""
    return wrangler(folder, "deploy", "--dry-run", "--outdir", home / "out", home=home).text


def test_the_sample_worker_could_be_deployed(tmp_path):
    """
    wrangler takes config and modules as they are, and names the same bindings.
    """
    for name in ("wrangler.toml", "sample_worker"):
        source = PROJECT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    said = deployed(tmp_path, tmp_path)

    for binding in ("MY_WORKFLOW (MyWorkflow)", "COUNTDOWN (Countdown)", "ORDERS (orders)", 'SHOP ("The Corner'):
        assert f"env.{binding}" in said

    assert re.search(r"workflows\.py .* python", said)
    assert re.search(r"demo\.html .* text", said)


def test_a_new_project_could_be_deployed(tmp_path):
    """
    What `emulator init` writes needs no more to go to the platform.
    """
    command(tmp_path, "init", tmp_path / "shop")
    said = deployed(tmp_path / "shop", tmp_path)

    assert "env.HELLO (Hello)" in said
    assert 'env.GREETING ("Hello")' in said
    assert (tmp_path / "out/entry.py").read_text() == (tmp_path / "shop/src/entry.py").read_text()
