"""One process holds thousands of attempts in flight."""

from collections.abc import Callable

import psutil

from tests.support.conservation import accepted, finished
from tests.support.database import query
from tests.support.delivery import Delivery
from tests.support.waiting import wait_until

COUNT = 2_000

AT_ONCE = """
    select max(under_way) as most from (
        select sum(change) over (order by at, change) as under_way from (
            select dispatched_at as at, 1 as change from audit.attempts
            union all select responded_at, -1 from audit.attempts
        ) as changes
    ) as counts
"""


def test_one_process_has_two_thousand_attempts_in_flight_at_once(
    rabbitmq_url: str, database_url: str, prepare_delivery: Callable[..., Delivery]
) -> None:
    """All of them wait for an endpoint that answers after 12 s; taken in turns of fewer, they could not overlap."""
    scenario = '[latency]\ndistribution = "constant"\nseconds = 12\n'
    delivery = prepare_delivery(rabbitmq_url, scenario, AJO_MAX_IN_FLIGHT=str(COUNT))
    process = psutil.Process(delivery.start_worker().child.pid)
    before = process.memory_info().rss
    delivery.publish(COUNT)
    most = 0

    def all_done() -> bool:
        nonlocal most
        most = max(most, process.memory_info().rss)
        return finished(database_url) == COUNT

    wait_until(all_done, what="all triggers with a state")
    assert len(accepted(delivery.api.journal)) == COUNT
    assert process.children() == [], "one process"
    at_once = int(query(database_url, AT_ONCE)[0]["most"])
    spread = query(
        database_url,
        "select extract(epoch from max(responded_at) - min(dispatched_at))::float8 as seconds from audit.attempts",
    )
    print(f"in flight at once: {at_once}; first dispatch to last answer: {spread[0]['seconds']:.2f} s; "  # noqa: T201 - a figure to quote
          f"memory a trigger: {(most - before) / COUNT / 1024:.1f} kB")  # fmt: skip
    assert at_once == COUNT
    assert (most - before) / COUNT < 200 * 1024, "memory grows by a small, stated amount a trigger"
