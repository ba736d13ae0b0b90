"""Flower: whether it answers, and sees workers."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx2
import msgspec
from ajo_producers.contract.counted import counted

from ajo_worker.doctor.check import Check, failed, ok, skipped, warning

FLOWER = "flower"


class _Row(msgspec.Struct):
    hostname: str
    status: bool


class _Page(msgspec.Struct):
    data: list[_Row]


def is_web_address(url: str) -> bool:
    """Whether ``url`` is http(s)://[USER:PASSWORD@]HOST[:PORT][/PATH] and no more. Pure."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # read only now, and refused if it is no number
    except ValueError:  # its text may quote the address
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not (parts.query or parts.fragment)


async def look_at_flower(url: str | None, seconds: float) -> Check:
    """What its page of workers says, as JSON; its API answers only where it has a password of its own."""
    if url is None:
        return skipped(FLOWER, "not asked for: --flower URL")
    try:
        async with httpx2.AsyncClient(trust_env=False, timeout=seconds) as client:
            answer = await client.get(f"{url.rstrip('/')}/workers", params={"json": "1"})
    except httpx2.HTTPError as fault:
        return failed(FLOWER, f"no answer: {type(fault).__name__}", "start it, or correct host and port of --flower")
    return judge_answer(answer.status_code, answer.content)


def judge_answer(status: int, body: bytes) -> Check:
    """What the answer means. Pure."""
    if status in {301, 302, 303, 307, 308, 401, 403}:
        return failed(FLOWER, f"it wants a login (status {status})", "give it: --flower http://USER:PASSWORD@HOST:PORT")
    try:
        rows = msgspec.json.decode(body, type=_Page).data
    except msgspec.DecodeError:
        rows = None
    if status != 200 or rows is None:  # noqa: PLR2004 - HTTP's number for it
        return failed(FLOWER, f"this is no Flower (status {status})", "correct host, port and path of --flower")
    return _judge_rows(rows)


def _judge_rows(rows: Sequence[_Row]) -> Check:
    online = sorted(row.hostname for row in rows if row.status)
    if not online:
        return warning(
            FLOWER,
            "it answers, and sees no worker",
            "is a worker running, and has Flower the same AJO_BROKER_URL and AJO_QUEUE_PREFIX?",
        )
    return ok(FLOWER, f"sees {counted(len(online), 'worker')}: {', '.join(online)}")
