"""Visiting an endpoint, once: every step of the way, and the service's own word on its health."""

import ssl
from datetime import UTC, datetime
from typing import NamedTuple

from ajo_worker.doctor.bounds import bounded
from ajo_worker.doctor.check import Check
from ajo_worker.doctor.clocks import Offset, offset_of_date
from ajo_worker.doctor.endpoint import judge_way
from ajo_worker.network.destination import Destination
from ajo_worker.network.way import STEPS, explore


class Visited(NamedTuple):
    """What was found on the way, and the endpoint's clock if it told the time."""

    checks: list[Check]
    offset: Offset | None = None


async def visit(destination: Destination, tls: ssl.SSLContext | None, token: str | None, seconds: float) -> Visited:
    """Go the way; where a step fails, those after it are skipped. Each step has ``seconds``."""
    headers = destination.headers | ({"authorization": f"Bearer {token}"} if token else {})
    way = await bounded(
        f"dns {destination.name}", (len(STEPS) + 1) * seconds, explore(destination, tls, seconds, headers)
    )
    if isinstance(way, Check):
        return Visited([way])
    checks = judge_way(destination, way, seconds, datetime.now(UTC), with_token=token is not None)
    if (answer := way.answer) is None:
        return Visited(checks)
    return Visited(checks, offset_of_date(destination.name, answer.date, answer.asked, answer.answered))
