"""A producer's clock that is wrong is found by what contradicts it, and charged to nobody."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.support.database import query
from tests.support.ledger_rows import after, put_trigger, put_worker

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def url(database_url: str) -> str:
    """A database whose worker has lived all the time."""
    put_worker(database_url, started_at=NOON - timedelta(days=1))
    return database_url


def received(url: str, seconds: float, wait: float, producer: str, behind: float = 0.0, **columns: Any) -> UUID:
    """A trigger received so many seconds after noon, having waited, by a producer whose clock is behind."""
    arrived = after(NOON, seconds)
    facts = {"producer": producer, "received_at": arrived, "state": "rejected", "completed_at": arrived} | columns
    return put_trigger(url, after(arrived, -wait - behind), **facts)


def roll_up(url: str) -> dict[str, float]:
    query(url, "select ledger.roll_up($1)", NOON)
    return {row["producer"]: row["skew_seconds"] for row in query(url, "select * from ledger.producer_clocks")}


def named(url: str, request_id: UUID) -> tuple[str, float, float]:
    (row,) = query(url, "select * from audit.delays where request_id = $1", request_id)
    return row["system"], row["skew_seconds"], row["broker_seconds"]


@pytest.mark.parametrize("behind", [-3600, -5, 5, 3600])
def test_a_clock_that_others_contradict_is_measured_and_the_broker_is_not_accused(url: str, behind: float) -> None:
    ours = [received(url, second, 0.1, "shop") for second in range(0, 20, 2)]
    theirs = [received(url, second + 1, 0.1, "accounts", behind) for second in range(0, 20, 2)]
    skews = roll_up(url)
    assert skews["shop"] == 0
    assert skews["accounts"] == pytest.approx(behind, abs=0.2)
    system, skew, broker = named(url, theirs[5])
    assert (system, skew) == ("clocks", pytest.approx(behind, abs=0.2))
    assert broker == pytest.approx(0, abs=0.2)
    assert named(url, ours[5])[0] == "none"


def test_a_backlog_that_all_producers_share_is_the_brokers(url: str) -> None:
    shop = [received(url, second, 30, "shop") for second in range(0, 20, 2)]
    [received(url, second + 1, 30, "accounts") for second in range(0, 20, 2)]
    assert roll_up(url) == {"shop": 0, "accounts": 0}
    assert named(url, shop[3]) == ("broker", 0, pytest.approx(30))


def test_a_backlog_that_drains_makes_nobodys_clock_wrong(url: str) -> None:
    """One producer published during the backlog, another one afterwards."""
    late = [received(url, second, 30 - second, "shop") for second in range(10)]
    [received(url, second, 0.1, "accounts") for second in range(12, 20)]
    assert roll_up(url) == {"shop": 0, "accounts": 0}
    assert named(url, late[0])[0] == "broker"


def test_a_single_producer_that_nothing_contradicts_is_not_found_behind(url: str) -> None:
    """Its wait may be the broker's as well: what can't be proved isn't claimed."""
    alone = received(url, 5, 0.1, "shop", 60)
    assert roll_up(url) == {"shop": 0}
    assert named(url, alone)[0] == "broker"


def test_triggers_that_came_again_from_a_dead_worker_make_nobodys_clock_wrong(url: str) -> None:
    """They were received late although they were published early; their producer's others were quick."""
    for second in range(0, 20, 2):
        received(url, second, 0.1, "shop")
        received(url, second + 1, 0.1, "accounts")
    late = received(url, 21, 20, "accounts")
    assert roll_up(url) == {"shop": 0, "accounts": 0}
    assert named(url, late)[0] == "broker"


def test_an_urgent_campaign_that_overtakes_by_right_makes_nobodys_clock_wrong(url: str) -> None:
    query(
        url,
        "insert into ledger.campaigns values ('password-reset', 'd', 'c-2', 'standard', now(), now(), $1, $2::jsonb)",
        UUID(int=1),
        '{"priority": "urgent"}',
    )
    slow = [received(url, second, 30, "shop") for second in range(0, 20, 2)]
    [received(url, second + 1, 0.1, "accounts", campaign="password-reset") for second in range(0, 20, 2)]
    assert roll_up(url)["shop"] == 0
    assert named(url, slow[3])[0] == "broker"


def test_what_a_silence_had_handed_back_and_comes_in_another_order_makes_nobodys_clock_wrong(url: str) -> None:
    query(
        url,
        "insert into ledger.silences values (gen_random_uuid(), $1, $2, 'destination:standard@h', 'standard', 20)",
        after(NOON, -20),
        after(NOON, 1),
    )
    slow = [received(url, second, 30, "shop") for second in range(0, 20, 2)]
    [received(url, second + 1, 2, "accounts") for second in range(0, 20, 2)]
    roll_up(url)
    assert named(url, slow[3])[1] == 0
