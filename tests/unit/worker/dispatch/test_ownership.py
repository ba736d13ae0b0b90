"""Who may send a trigger, told as single stories on virtual time; test_machine.py looks for others by itself."""

from collections.abc import Iterator
from random import seed

import pytest

from tests.support.simulation.cluster import BUDGET, Cluster
from tests.support.simulation.endpoint import Reply
from tests.support.simulation.network import Fate
from tests.support.simulation.process import OWNER_TIMEOUT, Process

LONG = OWNER_TIMEOUT + 1
"""Seconds after which a worker that doesn't beat is taken for dead, with some to spare."""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    seed(0)  # of the back-off's jitter
    made = Cluster(2)
    made.advance(0.1)
    yield made
    made.close()


@pytest.fixture
def patient() -> Iterator[Cluster]:
    seed(0)
    made = Cluster(2, attempt_timeout=None)
    made.advance(0.1)
    yield made
    made.close()


@pytest.fixture
def holding() -> Iterator[Cluster]:
    seed(0)
    made = Cluster(2, attempt_timeout=None, holds_ambiguous=True)
    made.advance(0.1)
    yield made
    made.close()


def begin(cluster: Cluster, expires: float | None = None) -> tuple[Process, Process]:
    """Publish trigger 1; the worker that gets it, and the other one."""
    message = cluster.publish([1], expires)
    cluster.until("delivered")
    owner, other = sorted(cluster.processes, key=lambda process: message.holder is not process)
    return owner, other


def copy(cluster: Cluster, to: Process) -> None:
    """Hand a copy of trigger 1 to a worker, as if the owner's connection to the broker had ended."""
    cluster.broker.queue(cluster.broker.messages[0], to=to)


def end(cluster: Cluster) -> tuple[str, tuple[str, ...]]:
    """State of trigger 1 and the causes for which it may be a duplicate, once everything is over and nothing wrong."""
    cluster.settle()
    cluster.verify_end()
    (row,) = cluster.network.tables.triggers.values()
    return row.state, row.duplicate_causes


def test_a_redelivery_alone_never_sends_twice(cluster: Cluster) -> None:
    cluster.endpoint.usual = Reply(202, accepts=True, seconds=4.0)
    owner, other = begin(cluster)
    cluster.until("called")
    for to in (other, owner, other):
        copy(cluster, to)
        cluster.advance(1.0)
    assert end(cluster) == ("accepted", ())
    assert len(cluster.endpoint.calls) == 1


def test_a_dead_workers_attempt_in_flight_is_repeated_and_marked(cluster: Cluster) -> None:
    owner, _ = begin(cluster)
    cluster.until("accepted")
    owner.kill()
    assert end(cluster) == ("accepted", ("worker-crash",))
    assert cluster.endpoint.accepted(cluster.endpoint.calls[0].request_id) == 2


def test_a_call_that_a_freeze_cut_off_is_marked_although_no_time_is_left_to_repeat_it(cluster: Cluster) -> None:
    """Its worker may wake up and finish it."""
    cluster.endpoint.usual = Reply(202, accepts=True, seconds=10 * BUDGET)
    owner, other = begin(cluster)
    cluster.until("called")
    owner.freeze(2 * BUDGET)
    cluster.advance(BUDGET + 1)
    copy(cluster, other)
    assert end(cluster) == ("unconfirmed", ("worker-crash",))
    assert len(cluster.endpoint.calls) == 1


def test_where_ambiguous_calls_are_held_a_dead_workers_attempt_in_flight_is_not_repeated(holding: Cluster) -> None:
    owner, _ = begin(holding)
    holding.until("accepted")
    owner.kill()
    assert end(holding) == ("unconfirmed", ())
    (row,) = holding.network.tables.triggers.values()
    assert row.reason == "worker-crash"
    assert len(holding.endpoint.calls) == 1


def test_where_ambiguous_calls_are_held_a_dead_workers_known_failure_is_repeated(holding: Cluster) -> None:
    holding.endpoint.planned.append(Reply(503))
    owner, _ = begin(holding)
    holding.until("written records")
    owner.kill()
    assert end(holding) == ("accepted", ())
    assert len(holding.endpoint.calls) == 2


def test_a_frozen_workers_late_202_ends_what_its_taker_held(holding: Cluster) -> None:
    holding.endpoint.usual = Reply(202, accepts=True, seconds=LONG + 4)
    owner, other = begin(holding)
    holding.until("called")
    owner.freeze(LONG)
    copy(holding, other)
    assert end(holding) == ("accepted", ())
    assert len(holding.endpoint.calls) == 1


def test_a_ledger_that_was_beyond_everybodys_reach_is_nobodys_death(patient: Cluster) -> None:
    """The first worker that is back finds no heartbeat of any other, as if all had died."""
    patient.endpoint.usual = Reply(202, accepts=True, seconds=LONG + 4)
    owner, other = begin(patient)
    patient.until("called")
    patient.network.cut(None, LONG)
    patient.network.cut(owner.loop, LONG + 1)
    patient.advance(LONG + 0.5)
    copy(patient, other)
    assert end(patient) == ("accepted", ())
    assert len(patient.endpoint.calls) == 1


def test_who_died_while_the_ledger_was_beyond_everybodys_reach_is_taken_over_all_the_same(patient: Cluster) -> None:
    owner, _ = begin(patient)
    patient.until("accepted")
    patient.network.cut(None, 2)
    owner.kill()
    assert end(patient) == ("accepted", ("worker-crash",))


def test_a_dead_workers_recorded_failure_is_no_doubt(cluster: Cluster) -> None:
    cluster.endpoint.planned.append(Reply(503))
    owner, _ = begin(cluster)
    cluster.until("written records")
    owner.kill()
    assert end(cluster) == ("accepted", ())


def test_a_taker_goes_on_in_what_is_left_of_the_budget(cluster: Cluster) -> None:
    cluster.endpoint.usual = Reply(503)
    owner, _ = begin(cluster)
    cluster.until("called")
    owner.kill()
    cluster.advance(BUDGET + LONG)
    assert end(cluster) == ("unconfirmed", ("worker-crash",))
    first, *_, last = (call.at for call in cluster.endpoint.calls)
    assert last <= first + BUDGET


def test_a_frozen_worker_that_lost_its_trigger_sends_no_more(cluster: Cluster) -> None:
    cluster.endpoint.planned += [Reply(503), Reply(202, accepts=True, seconds=4.0)]
    owner, other = begin(cluster)
    cluster.until("written records")
    owner.freeze(LONG)
    copy(cluster, other)
    assert end(cluster) == ("accepted", ())
    assert [call.loop for call in cluster.endpoint.calls] == [owner.loop, other.loop]


def test_a_first_attempt_whose_announcement_took_too_long_is_not_sent(cluster: Cluster) -> None:
    owner, _ = begin(cluster, expires=2.0)
    cluster.network.cut(owner.loop, 4.0)
    assert end(cluster) == ("expired", ())
    assert not cluster.endpoint.calls


def test_a_worker_that_lost_its_trigger_before_it_could_send_looks_what_became_of_it(cluster: Cluster) -> None:
    owner, other = begin(cluster)
    cluster.until("written admissions")
    owner.freeze(LONG)
    copy(cluster, other)
    assert end(cluster) == ("accepted", ("worker-crash",))
    assert [call.loop for call in cluster.endpoint.calls] == [other.loop]


def test_a_taker_waits_for_a_retry_after_that_the_ledger_knows(cluster: Cluster) -> None:
    wait = 9
    cluster.endpoint.planned.append(Reply(429, retry_after=wait))
    owner, _ = begin(cluster)
    cluster.until("answered records")
    owner.terminate()
    assert end(cluster) == ("accepted", ())
    first, second = (call.at for call in cluster.endpoint.calls)
    assert second >= first + wait


def test_an_owner_who_lives_again_keeps_its_trigger(cluster: Cluster) -> None:
    cluster.endpoint.usual = Reply(202, accepts=True, seconds=4.0)
    owner, other = begin(cluster)
    cluster.until("written admissions")
    cluster.network.cut(owner.loop, LONG)
    copy(cluster, other)
    cluster.network.seal(other.loop, "takeovers", Fate(there=3.0))
    cluster.advance(2 * LONG)
    assert end(cluster) == ("accepted", ())
    assert [call.loop for call in cluster.endpoint.calls] == [owner.loop]


def test_an_announcement_from_before_a_gap_in_the_heartbeats_is_renewed(cluster: Cluster) -> None:
    owner, other = begin(cluster)
    cluster.until("written admissions")
    owner.freeze(LONG)
    cluster.network.hold_back(owner.loop, LONG + 2.0)  # the announcement's answer comes after the next heartbeat's
    copy(cluster, other)
    assert end(cluster) == ("accepted", ("worker-crash",))
    assert [call.loop for call in cluster.endpoint.calls] == [other.loop]


def test_a_late_announcement_changes_nothing(cluster: Cluster) -> None:
    cluster.endpoint.planned += [Reply(503), Reply(503), Reply(202, accepts=True, seconds=4.0)]
    owner, _ = begin(cluster)
    cluster.network.seal(owner.loop, "intents", Fate(there=3.0, answered=False))
    for _ in range(3):
        assert cluster.until("called")
    cluster.advance(3.0)
    owner.kill()
    assert end(cluster) == ("accepted", ("worker-crash",))


@pytest.mark.parametrize("seconds", [-86_400.0, -60.0, -10.0, -3.0])
@pytest.mark.parametrize("noticed", [True, False])
def test_a_round_from_before_the_ledgers_clock_was_set_back_gets_no_further_attempt(
    cluster: Cluster, seconds: float, noticed: bool
) -> None:
    """Whether the owner lives to notice it, or dies before: nobody can tell how old the round is."""
    cluster.endpoint.usual = Reply(503)
    owner, _ = begin(cluster)
    cluster.until("replied")
    cluster.advance(0.2)
    cluster.network.set_clock(seconds)
    if noticed:
        cluster.advance(4.0)
    calls = len(cluster.endpoint.calls)
    owner.kill()
    cluster.advance(400.0)
    (row,) = cluster.network.tables.triggers.values()
    assert (row.state, row.reason) == ("expired", "clock-step")
    assert len(cluster.endpoint.calls) == calls
    end(cluster)


@pytest.mark.parametrize("seconds", [-86_400.0, -60.0, 60.0, 86_400.0])
def test_a_clock_that_is_set_while_all_live_changes_nothing_even_for_copies(cluster: Cluster, seconds: float) -> None:
    cluster.endpoint.usual = Reply(202, accepts=True, seconds=4.5)
    _, other = begin(cluster)
    cluster.until("called")
    cluster.network.set_clock(seconds)
    copy(cluster, other)
    assert end(cluster) == ("accepted", ())
    assert len(cluster.endpoint.calls) == 1


def test_retry_after_is_waited_for_although_the_ledgers_clock_was_set_forward(cluster: Cluster) -> None:
    cluster.endpoint.usual = Reply(429, retry_after=12)
    owner, _ = begin(cluster)
    cluster.until("replied")
    cluster.advance(0.2)
    cluster.network.set_clock(5.0)
    cluster.advance(3.0)
    owner.kill()
    end(cluster)
