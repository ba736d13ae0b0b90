"""What a worker makes of the circuits that it has read, and of its own attempts."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from ajo_producers.campaigns.payload import PayloadCheck
from ajo_producers.contract.trigger import Recipient, Trigger
from ajo_worker.api.request import Endpoint
from ajo_worker.api.verdict import Verdict
from ajo_worker.dispatch.gate import KeptBack
from ajo_worker.outages.circuits import Circuit, CircuitState
from ajo_worker.outages.failures import Thresholds
from ajo_worker.outages.rates import Ramp
from ajo_worker.outages.refusals import PLACES_ON_TRIAL
from ajo_worker.outages.view import View
from ajo_worker.triggers.campaign import KnownCampaign
from ajo_worker.triggers.received import Received

from tests.support.definitions import definition

STANDARD, HIGH = "destination:standard@api.example.com", "destination:high-throughput@api.example.com"
ELSEWHERE = "destination:standard@other.example.com"
TIMEOUT = Verdict("retryable", failure="timeout", ambiguous=True)
ACCEPTED = Verdict("accepted", http_status=202)
THRESHOLDS = Thresholds(failures=20, seconds=5.0, share=0.9, refusals=2)
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LANES = {"standard": 500.0, "high-throughput": 5000.0}


def campaign(name: str, lane: str = "standard", host: str = "api.example.com", **facts: Any) -> KnownCampaign:
    one = definition(name=name, lane=lane, **facts)
    return KnownCampaign(one, PayloadCheck(one), Endpoint(f"https://{host}/executions", {}), 60.0, 20.0)


CAMPAIGNS = {
    one.definition.name: one
    for one in (campaign("a"), campaign("b"), campaign("fast", "high-throughput"), campaign("slow", rate_limit=10.0))
}


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def view(campaigns: dict[str, KnownCampaign] = CAMPAIGNS, clock: Clock | None = None) -> View:
    return View(campaigns, THRESHOLDS, Ramp(5.0, 5.0), LANES, clock or Clock())


def circuits(
    state: CircuitState, *scopes: str, since: float = 0.0, reason: str = "sustained-failures"
) -> dict[str, Circuit]:
    return {scope: Circuit(scope, state, 1, since, False, None, reason) for scope in scopes}


def received(name: str, *, probe: bool = False, to: str = "person@example.com") -> Received:
    trigger = Trigger(request_id=uuid4(), campaign=name, recipients=(Recipient(user_id=to),))
    return Received(trigger, b"", uuid4(), "shop", NOW, 0.0, NOW, CAMPAIGNS[name], "standard", probe=probe)


@pytest.mark.parametrize("state", ["open", "held"])
async def test_an_outage_of_a_destination_keeps_back_its_lane_and_no_other(state: CircuitState) -> None:
    seen = view()
    seen.know(circuits(state, STANDARD), frozenset())
    assert seen.kept_back(CAMPAIGNS["a"]) == seen.kept_back(CAMPAIGNS["b"]) == KeptBack("outage")
    assert seen.kept_back(CAMPAIGNS["fast"]) is None
    assert seen.paused_lanes() == {"standard"}
    assert (seen.waits_in_broker("standard"), seen.waits_in_broker("high-throughput")) == (True, False)
    assert seen.free_campaigns() == ["fast"]


@pytest.mark.parametrize("state", ["closed", "recovering"])
async def test_what_is_closed_or_recovering_keeps_nothing_back(state: CircuitState) -> None:
    seen = view()
    seen.know(circuits(state, STANDARD, "campaign:a"), frozenset())
    assert seen.kept_back(CAMPAIGNS["a"]) is None
    assert seen.paused_lanes() == frozenset()


async def test_a_paused_campaign_keeps_its_neighbours_going() -> None:
    seen = view()
    seen.know(circuits("open", "campaign:a"), frozenset())
    assert seen.kept_back(CAMPAIGNS["a"]) == KeptBack("campaign-paused", of_campaign=True)
    assert seen.kept_back(CAMPAIGNS["b"]) is None
    assert seen.paused_lanes() == frozenset()


async def test_a_lane_with_another_destination_that_works_is_not_paused() -> None:
    two = {"a": CAMPAIGNS["a"], "c": campaign("c", host="other.example.com")}
    seen = view(two)
    seen.know(circuits("open", STANDARD), frozenset())
    assert seen.paused_lanes() == frozenset()
    assert seen.kept_back(two["a"]) == KeptBack("outage"), "and what comes for the failing one is parked"
    assert seen.kept_back(two["c"]) is None
    seen.know(circuits("open", STANDARD, ELSEWHERE), frozenset())
    assert seen.paused_lanes() == {"standard"}


async def test_a_probe_is_sent_with_a_campaign_that_nothing_else_keeps_back() -> None:
    seen = view()
    seen.know(circuits("open", STANDARD, "campaign:a"), frozenset())
    assert seen.campaigns_to_probe(STANDARD) == ["b", "slow"]
    assert seen.campaigns_to_probe("campaign:a") == []


async def test_where_a_probe_wants_a_trigger_the_lane_opens_for_one() -> None:
    seen = view()
    seen.know(circuits("open", STANDARD), frozenset())
    seen.want_one(STANDARD)
    assert seen.paused_lanes() == frozenset()
    assert [seen.wants_one(CAMPAIGNS["a"]), seen.wants_one(CAMPAIGNS["b"])] == [True, False]
    assert seen.paused_lanes() == {"standard"}


async def test_the_cosmos_text_is_a_suspicion_at_once_and_wakes_the_patrol() -> None:
    seen = view()
    seen.saw(received("a"), Verdict("retryable", http_status=403, outage="cosmos-key"), 100.0)
    assert seen.suspected[STANDARD].reason == "cosmos-key"
    assert seen.woken.is_set()


async def test_of_what_is_open_already_nothing_is_suspected() -> None:
    seen = view()
    seen.know(circuits("open", STANDARD), frozenset())
    seen.saw(received("a"), Verdict("retryable", http_status=500, outage="cosmos-key"), 100.0)
    assert seen.suspected == {}


async def test_refusals_are_counted_by_campaign_and_ambiguous_ones_not() -> None:
    seen = view()
    for name in ("a", "b"):
        seen.saw(received(name), Verdict("refused", http_status=403, error_code="403003", blame="campaign"), 100.0)
    for _ in range(5):
        seen.saw(received("b"), Verdict("refused", http_status=409, ambiguous=True), 100.0)
    assert seen.suspected == {}
    seen.saw(received("a"), Verdict("refused", http_status=403, error_code="403003", blame="campaign"), 100.0)
    assert list(seen.suspected) == ["campaign:a"]


async def test_a_fresh_token_that_is_refused_again_counts_against_its_campaign_and_a_stale_one_does_not() -> None:
    seen = view()
    for _ in range(5):
        seen.saw(received("b"), Verdict("unauthorized", http_status=401, error_code="401013"), 100.0)
    assert seen.suspected == {}
    for _ in range(2):
        again = Verdict("unauthorized", http_status=401, error_code="401013", blame="campaign", reason="unauthorized")
        seen.saw(received("a"), again, 100.0)
    assert seen.suspected["campaign:a"].evidence == {
        "refusals": 2,
        "rejected": "unauthorized",
        "kinds": {"401 401013": 2},
    }


async def test_a_429_slows_its_campaign_alone() -> None:
    seen = view()
    for _ in range(3):
        seen.saw(received("a"), Verdict("accepted", http_status=202), 100.0)
    seen.saw(received("a"), Verdict("retryable", http_status=429), 100.0)
    seen.saw(received("b"), Verdict("accepted", http_status=202), 100.0)
    throttled = seen.rates.throttled()
    assert throttled == {"campaign:a": 0.75}
    assert seen.rates.throttled() == {}, "each is told once"
    seen.know({}, frozenset(throttled))
    assert seen.rates.campaign_rate(CAMPAIGNS["a"], None) == 500.0
    assert seen.rates.campaign_rate(CAMPAIGNS["b"], None) is None
    assert seen.rates.campaign_rate(CAMPAIGNS["slow"], 10.0) == 10.0


async def test_what_comes_back_grows_from_when_it_was_read() -> None:
    clock = Clock()
    seen = view(clock=clock)
    seen.know(circuits("recovering", STANDARD, "campaign:fast", since=5.0), frozenset())
    assert seen.rates.lane_rate("standard", 500.0) == 10.0
    assert seen.rates.lane_rate("high-throughput", 5000.0) == 5000.0
    assert seen.rates.campaign_rate(CAMPAIGNS["fast"], None) == 10.0
    clock.now += 5.0
    assert seen.rates.lane_rate("standard", 500.0) == 20.0


@pytest.mark.parametrize(
    ("reason", "adobes"),
    [("sustained-failures", True), ("cosmos-key", True), ("no-answers", True), ("held", False),
     ("campaign-failing", False), ("proxy-failing", False)],
)  # fmt: skip
async def test_the_way_back_after_what_was_ours_is_no_time_of_adobe_s(reason: str, adobes: bool) -> None:
    """A rate is slowed all the same."""
    seen = view()
    seen.know(circuits("recovering", STANDARD, "campaign:fast", since=5.0, reason=reason), frozenset())
    assert seen.rates.lane_rate("standard", 500.0) == 10.0
    assert seen.rates.ramped("lane:standard", 500.0) == (10.0 / 500.0 if adobes else 1.0)
    assert seen.rates.ramped("campaign:fast", 5000.0) == (10.0 / 5000.0 if adobes else 1.0)
    assert seen.rates.ramped("lane:high-throughput", 5000.0) == 1.0


async def test_the_verdict_of_a_probe_is_kept_for_the_prober() -> None:
    seen, verdict = view(), Verdict("accepted", http_status=202)
    one = received("a", probe=True)
    seen.saw(one, verdict, 100.0)
    seen.saw(received("a"), verdict, 100.0)
    assert seen.probed == {one.trigger.request_id: verdict}


async def test_where_all_campaigns_of_a_destination_are_paused_too_one_of_them_probes_it() -> None:
    seen = view({"a": CAMPAIGNS["a"], "b": CAMPAIGNS["b"]})
    seen.know(circuits("open", STANDARD, "campaign:a") | circuits("held", "campaign:b"), frozenset())
    assert seen.campaigns_to_probe(STANDARD) == ["a"]


async def test_what_is_suspected_is_kept_back_before_the_ledger_knows() -> None:
    seen = view()
    seen.saw(received("a"), Verdict("retryable", http_status=500, outage="cosmos-key"), 100.0)
    assert seen.kept_back(CAMPAIGNS["b"]) == KeptBack("outage")
    assert seen.kept_back(CAMPAIGNS["fast"]) is None


async def test_failures_from_before_an_outage_ended_open_it_no_second_time() -> None:
    clock = Clock()
    seen = view(clock=clock)
    for _ in range(30):
        clock.now += 0.5
        seen.saw(received("a"), Verdict("retryable", http_status=503), 100.0)
    assert STANDARD in seen.suspected
    seen.suspected.clear()
    seen.know(circuits("open", STANDARD), frozenset())
    seen.know(circuits("recovering", STANDARD), frozenset())
    clock.now += 300.0
    seen.saw(received("a"), Verdict("retryable", http_status=503), 100.0)
    assert seen.suspected == {}


async def test_calls_that_hung_in_an_outage_which_another_worker_saw_end_open_it_no_second_time() -> None:
    clock = Clock()
    seen = view(clock=clock)
    sent = clock.now
    for _ in range(100):
        seen.sends(received("a"), sent)
    clock.now += 50.0
    seen.know(circuits("open", STANDARD, reason="no-answers"), frozenset())
    seen.know(circuits("recovering", STANDARD), frozenset())
    for _ in range(100):
        clock.now += 0.1
        seen.saw(received("a"), TIMEOUT, sent)
    assert seen.suspected == {}


async def test_a_campaign_on_trial_has_few_places_until_one_is_accepted() -> None:
    seen = view()
    for _ in range(THRESHOLDS.refusals):
        seen.saw(received("a", to=f"{uuid4()}@example.com"), Verdict("refused", http_status=400), 100.0)
    assert seen.places_of("a") == PLACES_ON_TRIAL
    assert seen.places_of("b") is None
    assert seen.suspected == {}
    seen.saw(received("a"), Verdict("accepted", http_status=202), 100.0)
    assert seen.places_of("a") is None


def hang(seen: View, clock: Clock, name: str, calls: int = 10) -> None:
    """Calls of a campaign that nothing answers until they are given up, 60 s later."""
    sent = clock.now
    ones = [received(name) for _ in range(calls)]
    for one in ones:
        seen.sends(one, sent)
    clock.now += 60.0
    for one in ones:
        seen.saw(one, TIMEOUT, sent)


async def test_a_destination_that_answers_nothing_is_an_outage_and_another_lane_of_its_host_that_answers_is_not() -> (
    None
):
    clock = Clock()
    seen = view(clock=clock)
    seen.sends(one := received("fast"), clock.now)
    hang(seen, clock, "a")
    seen.saw(one, ACCEPTED, 100.0)
    hang(seen, clock, "fast", calls=2)
    assert {scope: suspicion.reason for scope, suspicion in seen.suspected.items()} == {STANDARD: "no-answers"}


async def test_one_good_answer_refutes_that_nothing_is_answered() -> None:
    clock = Clock()
    seen = view(clock=clock)
    seen.sends(late := received("b"), clock.now)
    hang(seen, clock, "a")
    assert STANDARD in seen.suspected
    seen.saw(late, ACCEPTED, 100.0)
    assert (seen.suspected, seen.kept_back(CAMPAIGNS["a"])) == ({}, None)
    assert not seen.answering, "nothing was opened"


@pytest.mark.parametrize(
    ("verdict", "refutes"),
    [
        (ACCEPTED, True),
        (Verdict("refused", http_status=400), True),
        (Verdict("retryable", http_status=429), True),
        (Verdict("retryable", http_status=503), False),
        (TIMEOUT, False),
    ],
)
async def test_a_late_answer_ends_an_outage_without_answers(verdict: Verdict, refutes: bool) -> None:
    seen = view()
    seen.know(circuits("open", STANDARD, reason="no-answers"), frozenset())
    seen.woken.clear()
    seen.saw(received("a"), verdict, 10.0)
    assert seen.answering == ({STANDARD: 1} if refutes else {})
    assert seen.woken.is_set() == refutes


@pytest.mark.parametrize("state", ["open", "held"])
async def test_a_late_answer_of_a_call_from_before_says_nothing_of_failures_since(state: CircuitState) -> None:
    seen = view()
    seen.know(circuits(state, STANDARD, reason="no-answers" if state == "held" else "sustained-failures"), frozenset())
    seen.saw(received("a"), ACCEPTED, 10.0)
    assert seen.answering == {}, "only a probe ends these, or the operator"


IMS = "token:ims.example.com"


def with_token_endpoint(clock: Clock | None = None) -> View:
    return View(CAMPAIGNS, THRESHOLDS, Ramp(5.0, 5.0), LANES, clock or Clock(), token_scope=IMS)


async def test_a_worker_without_a_token_sends_nothing_takes_nothing_resumes_nothing_and_probes_nothing() -> None:
    seen = with_token_endpoint()
    seen.know(circuits("open", STANDARD, "campaign:fast"), frozenset())
    seen.want_one(STANDARD)
    seen.without_token = True
    for one in CAMPAIGNS.values():
        assert seen.kept_back(one) == KeptBack("token-unavailable", of_probes=True)
    assert seen.paused_lanes() == {"standard", "high-throughput"}
    assert seen.waits_in_broker("standard")
    assert seen.free_campaigns() == []
    assert seen.campaigns_to_probe(STANDARD) == seen.campaigns_to_probe("campaign:fast") == []
    assert not seen.wants_any(CAMPAIGNS["a"])
    seen.without_token = False
    assert seen.wants_any(CAMPAIGNS["a"])
    assert seen.kept_back(CAMPAIGNS["a"]) == KeptBack("outage")
    assert seen.kept_back(CAMPAIGNS["fast"]) == KeptBack("campaign-paused", of_campaign=True)


@pytest.mark.parametrize(("state", "kept"), [("open", False), ("recovering", False), ("closed", False), ("held", True)])
async def test_a_worker_with_a_token_is_kept_back_by_an_operators_hold_and_not_by_anothers_want(
    state: CircuitState, kept: bool
) -> None:
    seen = with_token_endpoint()
    seen.know(circuits(state, IMS), frozenset())
    assert (seen.kept_back(CAMPAIGNS["a"]) is not None) == kept
    assert bool(seen.paused_lanes()) == kept
    assert (seen.free_campaigns() == []) == kept


async def test_what_waited_while_there_was_no_token_was_kept_back() -> None:
    seen, ended = with_token_endpoint(), NOW
    seen.know({IMS: Circuit(IMS, "closed", 1, 0.0, False, ended)}, frozenset())
    assert seen.kept_back_since(CAMPAIGNS["a"], ended - timedelta(seconds=1))
    assert not seen.kept_back_since(CAMPAIGNS["a"], ended + timedelta(seconds=1))
