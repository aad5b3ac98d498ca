"""A step's config over the defaults, what is wrong with one, and how long to wait between attempts."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.workflows import retries
from emulator.workflows.retries import Backoff, StepConfig

DEFAULTS = {"retries": {"limit": 5, "delay": 1000, "backoff": "exponential"}, "timeout": "10 minutes"}
SECOND = timedelta(seconds=1)


def config_with(**settings):
    return retries.resolve({"retries": {"limit": 5, "delay": 200, **settings}}, "charge")


def delays(config, base=None):
    return [retries.next_delay(config, attempt, base=base) for attempt in range(1, config.limit + 2)]


@pytest.mark.parametrize(
    "given_config",
    [None, {}, {"retries": None}, {"timeout": None, "sensitive": None}],
    ids=str,
)
def test_nothing_given_means_the_defaults(given_config):
    """
    Five more attempts, from one second on, doubling; ten minutes for each.
    """
    config = retries.resolve(given_config, "charge")

    assert DEFAULTS == config.as_context()
    assert timedelta(minutes=10) == config.timeout
    assert [1 * SECOND, 2 * SECOND, 4 * SECOND, 8 * SECOND, 16 * SECOND, None] == delays(config)


@pytest.mark.parametrize(
    ("given_config", "expected"),
    [
        (
            {"retries": {"limit": 2, "delay": "10 seconds"}},
            {"retries": {"limit": 2, "delay": "10 seconds", "backoff": "exponential"}, "timeout": "10 minutes"},
        ),
        (
            {"retries": {"limit": 3.0, "delay": 5000.0, "backoff": "linear"}, "timeout": 1500},
            {"retries": {"limit": 3, "delay": 5000, "backoff": "linear"}, "timeout": 1500},
        ),
        (
            {"retries": {"limit": 0, "delay": 0, "backoff": "constant"}, "timeout": "1.5 hours"},
            {"retries": {"limit": 0, "delay": 0, "backoff": "constant"}, "timeout": "1.5 hours"},
        ),
        (
            {"retries": {"limit": 1, "delay": SECOND}, "timeout": timedelta(minutes=1)},
            {"retries": {"limit": 1, "delay": 1000, "backoff": "exponential"}, "timeout": 60000},
        ),
        (
            {"retries": {"limit": 1, "delay": "[dynamic]"}},
            {"retries": {"limit": 1, "backoff": "exponential"}, "timeout": "10 minutes"},
        ),
        ({"timeout": "30 seconds"}, {**DEFAULTS, "timeout": "30 seconds"}),
        ({"sensitive": "output"}, {**DEFAULTS, "sensitive": "output"}),
    ],
    ids=lambda value: "" if "backoff" in str(value) and "timeout" in str(value) else str(value),
)
def test_what_is_given_lies_over_the_defaults(given_config, expected):
    """
    The user's code sees its config with the defaults filled in, durations as they were written.
    """
    config = retries.resolve(given_config, "charge")

    assert expected == config.as_context()


@pytest.mark.parametrize(
    ("given_config", "complaint"),
    [
        (5, "config: expected a dict, got 5"),
        ([], "config: expected a dict, got []"),
        ({"retry": {}}, "config: unknown key 'retry'; the keys are retries, timeout, sensitive"),
        ({1: 2}, "config: unknown key '1'"),
        ({"retries": 3}, "retries: expected a dict, got 3"),
        ({"retries": {}}, "retries.limit is missing"),
        ({"retries": {"limit": 3}}, "retries.delay is missing"),
        ({"retries": {"delay": 3}}, "retries.limit is missing"),
        ({"retries": {"limit": 3, "delay": None}}, "retries.delay is missing"),
        ({"retries": {"limit": 3, "delay": 1, "jitter": 1}}, "retries: unknown key 'jitter'"),
        ({"retries": {"limit": -1, "delay": 1}}, "retries.limit: expected a whole number from 0 to 10000, got -1"),
        ({"retries": {"limit": 1.5, "delay": 1}}, "retries.limit: expected a whole number"),
        ({"retries": {"limit": 10_001, "delay": 1}}, "retries.limit: expected a whole number from 0 to 10000"),
        ({"retries": {"limit": float("inf"), "delay": 1}}, "retries.limit: expected a whole number"),
        ({"retries": {"limit": float("nan"), "delay": 1}}, "retries.limit: expected a whole number"),
        ({"retries": {"limit": True, "delay": 1}}, "retries.limit: expected a whole number"),
        ({"retries": {"limit": "3", "delay": 1}}, "retries.limit: expected a whole number"),
        ({"retries": {"limit": 3, "delay": -1}}, "retries.delay: a duration is not negative"),
        ({"retries": {"limit": 3, "delay": "-5 seconds"}}, "retries.delay: a duration is not negative"),
        ({"retries": {"limit": 3, "delay": "5s"}}, 'retries.delay: cannot read the duration "5s"; write "5 seconds"'),
        ({"retries": {"limit": 3, "delay": True}}, "retries.delay: "),
        ({"retries": {"limit": 3, "delay": 1, "backoff": "cubic"}}, "retries.backoff: expected constant, linear"),
        ({"retries": {"limit": 3, "delay": 1, "backoff": []}}, "retries.backoff: expected constant, linear"),
        ({"timeout": 0}, "timeout: it must be longer than 0"),
        ({"timeout": "0 minutes"}, "timeout: it must be longer than 0"),
        ({"timeout": float("nan")}, "timeout: "),
        ({"timeout": "[dynamic]"}, "timeout: "),
        ({"sensitive": True}, 'sensitive: expected "output", got True'),
        ({"sensitive": "input"}, "sensitive: expected \"output\", got 'input'"),
    ],
    ids=str,
)
def test_a_wrong_config_is_refused_by_step_and_key(given_config, complaint):
    """
    The error has the platform's sentence with the step's name, then the key and what it should be.
    """
    with pytest.raises(ValueError) as caught:
        retries.resolve(given_config, "charge")

    assert 'Step config for "charge" is in a invalid format. See https://' in str(caught.value)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("backoff", "expected"),
    [
        ("constant", [200, 200, 200, 200]),
        ("linear", [200, 400, 600, 800]),
        ("exponential", [200, 400, 800, 1600]),
    ],
)
def test_the_delay_grows_as_the_backoff_says(backoff, expected):
    """
    Constant stays, linear adds, exponential doubles; after the limit there is no next attempt.
    """
    config = config_with(limit=4, backoff=backoff)

    assert [*(timedelta(milliseconds=each) for each in expected), None] == delays(config)


def test_the_users_own_delay_grows_too():
    """
    What the user's delay function says takes the delay's place, and the backoff is applied to it.
    """
    config = config_with(limit=3, delay="[dynamic]", backoff="linear")

    assert [1 * SECOND, 2 * SECOND, 3 * SECOND, None] == delays(config)
    assert [5 * SECOND, 10 * SECOND, 15 * SECOND, None] == delays(config, base=5 * SECOND)
    assert timedelta() == retries.next_delay(config, 1, base=timedelta())


def test_no_retries_means_one_attempt():
    """
    With a limit of 0 the first failure is the last.
    """
    assert [None] == delays(config_with(limit=0))


def test_a_delay_never_leaves_the_calendar():
    """
    Ten thousand doublings, or a thousand years, end at a century, which can be added to any date of ours.
    """
    century = timedelta(days=36_500)

    assert century == retries.next_delay(config_with(limit=10_000), 10_000, base=None)
    assert century == retries.next_delay(config_with(delay="1000 years"), 1, base=None)
    assert century == retries.next_delay(config_with(), 1, base=timedelta.max)
    assert century == retries.resolve({"timeout": "1000 years"}, "charge").timeout


def test_the_context_is_a_copy():
    """
    Code that changes its `ctx["config"]` does not change the config.
    """
    config = config_with()

    config.as_context()["retries"]["limit"] = 99

    assert 5 == config.as_context()["retries"]["limit"]


written = st.one_of(
    st.integers(0, 10**9), st.floats(0, 1e9), st.from_regex(r"\A[1-9][0-9]{0,2} (second|minute|day)s?\Z")
)
configs = st.builds(
    StepConfig,
    limit=st.integers(0, 10_000),
    delay=st.one_of(st.none(), written),
    backoff=st.sampled_from(Backoff),
    attempt_timeout=written,
    sensitive=st.sampled_from([None, "output"]),
)


@settings(deadline=None)
@given(configs)
def test_a_config_comes_back_from_the_store_as_it_went(config):
    """
    Storing a config and reading it again changes nothing.
    """
    assert config == StepConfig.from_json(config.as_json)


@settings(deadline=None)
@given(configs, st.integers(1, 10_001))
def test_delays_never_shrink(config, attempts):
    """
    A later attempt waits at least as long as an earlier one, until there is none.
    """
    this = retries.next_delay(config, attempts, base=None)
    following = retries.next_delay(config, attempts + 1, base=None)

    assert (this is None) == (attempts > config.limit)
    assert following is None or (this is not None and following >= this)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda each: (
            st.lists(each, max_size=3)
            | st.dictionaries(
                st.sampled_from(["retries", "limit", "delay", "backoff", "timeout", "x"]), each, max_size=4
            )
        ),
    )
)
def test_anything_is_a_config_or_refused(anything):
    """
    Whatever is given, the answer is a config or a ValueError.
    """
    try:
        config = retries.resolve(anything, "charge")
    except ValueError:
        return

    assert config.timeout > timedelta()
