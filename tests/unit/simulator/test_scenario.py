"""A scenario is read strictly, and what is wrong with it is told by file and field."""

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from ajo_simulator.faults import KINDS, Hang, RateLimit, Window, kind_of
from ajo_simulator.scenario import BadScenario, Scenario, load_scenario, parse_scenario
from hypothesis import given
from hypothesis import strategies as st

DEMO = Path(__file__).parents[3] / "worker" / "ajo_local" / "faults.toml"


def test_nothing_means_at_once_and_without_faults() -> None:
    assert parse_scenario("") == Scenario()
    assert Scenario().latency.seconds == 0
    assert Scenario().fault == ()


def test_a_fault_gets_the_fields_of_its_kind() -> None:
    text = '[[fault]]\nkind = "rate-limit"\nretry_after = 2\nfrom = 1\n[[fault]]\nkind = "hang"\naccept = true\n'
    assert parse_scenario(text).fault == (RateLimit(retry_after=2.0, from_=1.0), Hang(accept=True))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_scripted_by_its_name_alone_and_refuse_with_its_end(kind: str) -> None:
    [fault] = parse_scenario(f'[[fault]]\nkind = "{kind}"\nuntil = 1\n').fault
    assert kind_of(fault) == kind


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("seed =", "not TOML: "),
        ("sead = 1", "unknown field `sead`"),
        ('seed = "one"', "Expected `int`, got `str` - at `seed`"),
        ("[latency]\nsecond = 1", "unknown field `second` - at `latency`"),
        ("[latency]\nseconds = -1", "Expected `float` >= 0.0 - at `latency.seconds`"),
        ("[latency]\nseconds = nan", "Expected `float` >= 0.0 - at `latency.seconds`"),
        ("[latency]\nseconds = inf", "Expected `float` <= 1000000000.0 - at `latency.seconds`"),
        ('[latency]\ndistribution = "normal"', "Invalid enum value 'normal' - at `latency.distribution`"),
        ('[latency]\ndistribution = "uniform"\nlow = 2\nhigh = 1', "`high` is below `low` - at `latency`"),
        ('[latency]\ndistribution = "lognormal"\nmedian = 1', "`p99` is below `median` - at `latency`"),
        ("[token]\nexpires_in = 0", "Expected `int` >= 1 - at `token.expires_in`"),
        ("[token]\nfail_status = 200", "Expected `int` >= 400 - at `token.fail_status`"),
        ("[limits]\ncalls_per_second = 0", "Expected `float` > 0.0 - at `limits.calls_per_second`"),
        ("[repeated]\nstatus = 500", "Expected `int` <= 499 - at `repeated.status`"),
        ("[[fault]]\nkind = 'cosmos'\ncode = 4001", "Invalid enum value 4001 - at `fault[0].code`"),
        ("[[campaign]]\nstatus = 'LIVE'", "missing required field `id` - at `campaign[0]`"),
        ("[[campaign]]\nid = 'a'\nanswer = 429", "at `campaign[0].answer`"),
        ("[[campaign]]\nid = 'a'\nend = 2026-11-01T08:00:00", "timezone component - at `campaign[0].end`"),
        ("[[fault]]\nshare = 0.5", "missing required field `kind` - at `fault[0]`"),
        (
            "[[fault]]\nkind = 'hang'\n[[fault]]\nkind = 'hung'",
            "'hung' - at `fault[1].kind`; known are status",
        ),
        ("[[fault]]\nkind = 'hang'\nseconds = 3", "unknown field `seconds` - at `fault[0]`"),
        ("[[fault]]\nkind = 'hang'\nshare = 1.01", "Expected `float` <= 1.0 - at `fault[0].share`"),
        ("[[fault]]\nkind = 'hang'\nattempts = 0", "Expected `int` >= 1 - at `fault[0].attempts`"),
        ("[[fault]]\nkind = 'slow'\nfrom = 2\nuntil = 2", "`until` must be greater than `from` - at `fault[0]`"),
        ("[[fault]]\nkind = 'slow'\nevery = 30", "`every` and `lasting` belong together - at `fault[0]`"),
        ("[[fault]]\nkind = 'slow'\nevery = 3\nlasting = 3", "greater than 0 and less than `every` - at `fault[0]`"),
        ("[[fault]]\nkind = 'slow'\nseconds = 3\nhigh = 2", "`high` is below `seconds` - at `fault[0]`"),
        ("[[fault]]\nkind = 'slow'\nlane = 'fast'", "Invalid enum value 'fast' - at `fault[0].lane`"),
        ("[[fault]]\nkind = 'refuse'", "`refuse` needs `until`"),
        ("[[fault]]\nkind = 'refuse'\nuntil = 1\nshare = 0.5", "unknown field `share` - at `fault[0]`"),
        ("[[fault]]\nkind = 'reset-unread'\ncampaign = 'a'", "unknown field `campaign` - at `fault[0]`"),
        ("[[fault]]\nkind = 'rate-limit'\nretry_after = true", "at `fault[0].retry_after`"),
        ("[[fault]]\nkind = 'rate-limit'\nretry_after = \"a\\r\\nb: c\"", "at `fault[0].retry_after`"),
    ],
)
def test_a_fault_of_the_file_is_told_with_its_source_and_its_field(text: str, told: str) -> None:
    with pytest.raises(BadScenario) as bad:
        parse_scenario(text, "chaos.toml")
    assert str(bad.value).startswith("chaos.toml: ")
    assert told in str(bad.value)


@given(st.text())
def test_any_text_is_a_scenario_or_a_bad_one(text: str) -> None:
    with suppress(BadScenario):
        assert isinstance(parse_scenario(text), Scenario)


def test_the_scenario_of_the_demo_is_one() -> None:
    assert len(load_scenario(DEMO).fault) == 8


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_window_holds_from_its_first_second_until_just_before_its_last(a: float, b: float, seconds: float) -> None:
    low, high = sorted((a, b))
    if low == high:
        with pytest.raises(ValueError, match="greater"):
            Window(from_=low, until=high)
        return
    window = Window(from_=low, until=high)
    assert window.holds(seconds) == (low <= seconds < high)
    assert window.holds(low)
    assert not window.holds(high)
    assert Window(from_=low).holds(high)


@given(st.floats(0, 1e3), st.floats(1, 100), st.floats(0.01, 0.99), st.floats(0, 1e4))
def test_bursts_begin_with_the_window_and_last_as_long_as_they_may(
    start: float, every: float, part: float, seconds: float
) -> None:
    bursts = Window(from_=start, every=every, lasting=every * part)
    assert bursts.holds(start)
    assert not bursts.holds(start + every * (part + 1) / 2)
    assert not (bursts.holds(seconds) and seconds < start)
    assert bursts.holds(seconds) == Window(from_=start, until=1e9, every=every, lasting=every * part).holds(seconds)


def test_bursts_come_again_and_again_until_they_end() -> None:
    bursts = Window(from_=5, until=70, every=30, lasting=10)
    assert [second for second in range(100) if bursts.holds(second)] == [*range(5, 15), *range(35, 45), *range(65, 70)]


def test_a_scenario_cannot_be_changed_under_a_running_simulator() -> None:
    with pytest.raises(AttributeError):
        Scenario().seed = 2  # type: ignore[misc] - what must not work
    assert msgspec.structs.replace(Scenario(), seed=2).seed == 2
