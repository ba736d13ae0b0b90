"""A request's body, bounded in bytes and in time."""

import asyncio
from typing import TypeAlias

from starlette.requests import ClientDisconnect, Request

Strangers: TypeAlias = dict[asyncio.Timeout, None]
"""The times that bodies get whose sender nobody knows yet, the oldest first."""
MOST_OPEN = 256
"""Requests of one server in hand at most: what waits for whoever keeps it must not fill the memory."""
TOO_MANY = "too many requests at once"


class BadBody(Exception):  # noqa: N818 - named for what it is
    """The body is refused with this HTTP status; the text says why, and has nothing of its content."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


async def read_bytes(request: Request, most: int, seconds: float, strangers: Strangers | None = None) -> bytes:
    """The body, of ``most`` bytes at most, which gets so many ``seconds`` to come.

    Its time stands among those of ``strangers`` meanwhile: ``one_gives_way`` may end it.

    Raises:
        BadBody: it is encoded, too large or too slow, or the connection broke.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise BadBody(415, "Content-Encoding is not supported: send it plain")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise BadBody(413, f"a body may have {most} bytes at most")
    body = bytearray()
    try:
        async with asyncio.timeout(seconds) as time:
            if strangers is not None:
                strangers[time] = None
            async for part in request.stream():
                body += part
                if len(body) > most:
                    raise BadBody(413, f"a body may have {most} bytes at most")
    except TimeoutError:
        raise BadBody(408, "the body has taken too long to come") from None
    except ClientDisconnect:
        raise BadBody(400, "the connection broke") from None
    finally:
        if strangers is not None:
            strangers.pop(time, None)
    return bytes(body)


def one_gives_way(strangers: Strangers) -> bool:
    """End the time of the body that has taken longest to come; False if there is none."""
    if (oldest := next(iter(strangers), None)) is None:
        return False
    del strangers[oldest]
    oldest.reschedule(asyncio.get_running_loop().time())
    return True
