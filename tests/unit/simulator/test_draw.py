"""Which fault a call meets, and how long it takes: by share, campaign, time and attempt, and always the same."""

from statistics import median

import pytest
from ajo_simulator.draw import drawn, latency_of
from ajo_simulator.faults import Fault, Hang, Lane, Outage, RateLimit, Refuse, ResetUnread, Slow, Status
from ajo_simulator.latency import Latency
from ajo_simulator.picking import Call, delay, is_shut, pick_fault, pick_unread
from ajo_simulator.scenario import Scenario
from hypothesis import given
from hypothesis import strategies as st

IDS = [f"id-{number}" for number in range(4000)]
shares = st.floats(0, 1)
ids = st.text(st.characters(codec="utf-8"), max_size=40)
attempts = st.integers(1, 5)
instants = st.floats(0, 100)


def playing(*faults: Fault, seed: int = 1) -> Scenario:
    return Scenario(seed=seed, fault=faults)


def hit(scenario: Scenario, campaign: str = "c", attempt: int = 1, seconds: float = 0.0) -> dict[str, Fault]:
    """The ids that meet a fault, and which."""
    met = {one: pick_fault(scenario, Call(campaign, one, attempt), seconds) for one in IDS}
    return {one: fault for one, fault in met.items() if fault}


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_rule_hits_about_its_share_of_the_ids(share: float, seed: int) -> None:
    count = len(hit(playing(Hang(share=share), seed=seed)))
    assert abs(count - share * len(IDS)) <= 5 * (share * (1 - share) * len(IDS)) ** 0.5  # five standard deviations


@given(st.integers(), ids, attempts, instants)
def test_a_share_of_one_hits_everything_and_a_share_of_nothing_nothing(
    seed: int, request_id: str, attempt: int, seconds: float
) -> None:
    assert pick_fault(playing(Hang(), seed=seed), Call("c", request_id, attempt), seconds) == Hang()
    assert pick_fault(playing(Hang(share=0), seed=seed), Call("c", request_id, attempt), seconds) is None


@given(st.lists(shares, min_size=1, max_size=5), ids, attempts, instants)
def test_the_same_call_meets_the_same_fault(parts: list[float], request_id: str, attempt: int, seconds: float) -> None:
    scenario = playing(*(Status(share=share, status=400 + number) for number, share in enumerate(parts)))
    one, other = (pick_fault(scenario, Call("c", request_id, attempt), seconds) for _ in range(2))
    assert one is other


@given(st.integers(), st.lists(st.floats(0, 0.2), min_size=1, max_size=5), ids)
def test_rules_that_do_not_fill_the_whole_never_hit_the_same_id(seed: int, parts: list[float], request_id: str) -> None:
    rules = [Status(share=share, status=400 + number) for number, share in enumerate(parts)]
    late = [Status(share=rule.share, status=rule.status, from_=10) for rule in rules]
    hits = 0
    for number in range(len(rules)):  # each alone in its place, the others not yet
        scenario = playing(*late[:number], rules[number], *late[number + 1 :], seed=seed)
        hits += pick_fault(scenario, Call("c", request_id, 1), 0.0) is not None
    together = pick_fault(playing(*rules, seed=seed), Call("c", request_id, 1), 0.0)
    assert hits == (together is not None)


def test_two_rules_of_a_half_leave_no_id_out() -> None:
    met = hit(playing(Hang(share=0.5), Outage(share=0.5)))
    assert len(met) == len(IDS)
    assert set(met.values()) == {Hang(share=0.5), Outage(share=0.5)}


def test_three_thirds_leave_out_no_more_than_what_is_missing_to_one() -> None:
    assert len(hit(playing(*(Hang(share=share) for share in (0.1, 0.2, 0.3, 0.4))))) == len(IDS)


def test_after_a_rule_of_one_has_spent_its_attempts_the_next_gets_its_own_share() -> None:
    scenario = playing(Outage(attempts=1), Hang(share=0.25))
    assert set(hit(scenario).values()) == {Outage(attempts=1)}
    second = hit(scenario, attempt=2)
    assert set(second.values()) == {Hang(share=0.25)}
    assert 0.2 * len(IDS) < len(second) < 0.3 * len(IDS)


@pytest.mark.parametrize(
    ("fault", "campaign", "attempt", "seconds", "met"),
    [
        (Hang(), "c", 1, 0.0, True),
        (Hang(campaign="c"), "c", 1, 0.0, True),
        (Hang(campaign="d"), "c", 1, 0.0, False),
        (Hang(attempts=1), "c", 1, 0.0, True),
        (Hang(attempts=1), "c", 2, 0.0, False),
        (Hang(attempts=3), "c", 3, 0.0, True),
        (Hang(from_=5), "c", 1, 4.9, False),
        (Hang(from_=5), "c", 1, 5.0, True),
        (Hang(until=5), "c", 1, 4.9, True),
        (Hang(until=5), "c", 1, 5.0, False),
        (Refuse(until=5), "c", 1, 0.0, False),
        (ResetUnread(), "c", 1, 0.0, False),
    ],
)
def test_a_rule_hits_its_campaign_at_its_attempts_in_its_time(
    fault: Fault, campaign: str, attempt: int, seconds: float, met: bool
) -> None:
    assert (pick_fault(playing(fault), Call(campaign, "id", attempt), seconds) is fault) == met


@pytest.mark.parametrize(
    ("fault", "lane", "users", "met"),
    [
        (Hang(lane="standard"), "standard", (), True),
        (Hang(lane="standard"), "high-throughput", (), False),
        (Hang(lane="high-throughput"), "high-throughput", (), True),
        (Hang(user_id="unknown"), "standard", ("ada", "unknown-7"), True),
        (Hang(user_id="unknown"), "standard", ("ada", "well-unknown"), False),
        (Hang(user_id="unknown"), "standard", (), False),
    ],
)
def test_a_rule_hits_its_lane_and_its_users(fault: Fault, lane: Lane, users: tuple[str, ...], met: bool) -> None:
    assert (pick_fault(playing(fault), Call("c", "id", 1, lane, users), 0.0) is fault) == met


def test_a_rule_for_other_calls_takes_no_room_on_the_circle() -> None:
    alone = hit(playing(Hang(share=0.3)))
    assert hit(playing(Outage(share=0.3, lane="high-throughput"), Hang(share=0.3))) == alone
    assert hit(playing(Outage(share=0.3, user_id="unknown"), Hang(share=0.3))) == alone


def test_a_rule_hits_the_same_ids_whatever_other_rules_do_at_that_time() -> None:
    scenario = playing(RateLimit(share=0.3, attempts=1, until=5), Hang(share=0.3))
    always = {one for one, fault in hit(scenario).items() if isinstance(fault, Hang)}
    for attempt, seconds in ((2, 0.0), (1, 6.0), (2, 6.0)):
        later = hit(scenario, attempt=attempt, seconds=seconds)
        assert {one for one, fault in later.items() if isinstance(fault, Hang)} == always


def test_another_seed_hits_other_ids() -> None:
    assert set(hit(playing(Hang(share=0.5), seed=1))) != set(hit(playing(Hang(share=0.5), seed=2)))


def test_calls_are_reset_unread_by_their_share_and_time() -> None:
    scenario = playing(Hang(), ResetUnread(share=0.25, from_=1))
    count = sum(pick_unread(scenario, call, 1.0) is not None for call in range(4000))
    assert 800 < count < 1200
    assert not any(pick_unread(scenario, call, 0.9) for call in range(100))
    assert all(pick_unread(playing(ResetUnread()), call, 0.0) for call in range(100))


def test_the_door_is_shut_while_a_rule_refuses() -> None:
    scenario = playing(Hang(), Refuse(from_=1, until=2), Refuse(from_=3, until=4))
    seconds = (0.0, 1.0, 1.9, 2.0, 3.5, 4.0)
    assert [is_shut(scenario, at) for at in seconds] == [False, True, True, False, True, False]


@given(st.integers(), ids, st.text(max_size=10))
def test_a_draw_lies_from_nought_to_below_one_and_depends_on_its_arguments_alone(
    seed: int, text: str, purpose: str
) -> None:
    assert 0 <= drawn(seed, text, purpose) < 1
    assert drawn(seed, text, purpose) == drawn(seed, text, purpose)


@given(st.floats(0, 100), ids, attempts)
def test_a_constant_latency_is_constant(seconds: float, request_id: str, attempt: int) -> None:
    assert latency_of(Latency(seconds=seconds), 1, request_id, attempt) == seconds


@given(st.floats(0, 100), st.floats(0, 100), ids, attempts)
def test_a_uniform_latency_lies_between_its_bounds(a: float, b: float, request_id: str, attempt: int) -> None:
    low, high = sorted((a, b))
    latency = Latency(distribution="uniform", low=low, high=high)
    assert low <= latency_of(latency, 1, request_id, attempt) <= high


def test_a_uniform_latency_fills_its_range_evenly() -> None:
    latency = Latency(distribution="uniform", low=2, high=4)
    tenths = [0] * 10
    for one in IDS:
        tenths[int((latency_of(latency, 1, one, 1) - 2) * 5)] += 1
    assert all(300 < count < 500 for count in tenths)


@given(st.floats(0.001, 10), st.floats(1, 50), ids, attempts)
def test_a_log_normal_latency_is_positive_and_has_an_end(
    middle: float, factor: float, request_id: str, attempt: int
) -> None:
    latency = Latency(distribution="lognormal", median=middle, p99=middle * factor)
    assert 0 < latency_of(latency, 1, request_id, attempt) <= 3600


def test_a_log_normal_latency_has_the_median_and_the_99th_percentile_that_were_asked_for() -> None:
    latency = Latency(distribution="lognormal", median=0.1, p99=1.0)
    drawn_ones = sorted(latency_of(latency, 1, one, 1) for one in IDS)
    assert median(drawn_ones) == pytest.approx(0.1, rel=0.1)
    assert drawn_ones[int(len(IDS) * 0.99)] == pytest.approx(1.0, rel=0.35)


def test_every_attempt_has_a_latency_of_its_own() -> None:
    latency = Latency(distribution="uniform", high=1)
    assert len({latency_of(latency, 1, "id", attempt) for attempt in range(1, 6)}) == 5


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [(None, 0.5), (Hang(), 0.5), (Slow(), 1.5), (Slow(seconds=0, factor=100), 50), (Slow(seconds=2, factor=2), 3)],
)
def test_a_slow_call_takes_a_multiple_of_its_latency_and_some_seconds_more(
    fault: Hang | Slow | None, seconds: float
) -> None:
    assert delay(Scenario(latency=Latency(seconds=0.5)), fault, "id", 1) == seconds


@given(ids, attempts, st.floats(0, 100), st.floats(0, 100))
def test_a_slow_call_takes_some_seconds_between_two_numbers_of_them(
    request_id: str, attempt: int, a: float, b: float
) -> None:
    low, high = sorted((a, b))
    assert low <= delay(Scenario(), Slow(seconds=low, high=high), request_id, attempt) <= high


def test_slow_calls_are_not_all_slow_alike() -> None:
    slow = Slow(seconds=20, high=60)
    assert len({round(delay(Scenario(), slow, one, 1)) for one in IDS}) == 41
