"""A request's body, bounded in bytes and in time."""

import asyncio

from starlette.requests import ClientDisconnect, Request


class BadBody(Exception):  # noqa: N818 - named for what it is
    """The body is refused with this HTTP status; the text says why, and has nothing of its content."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


async def read_bytes(request: Request, most: int, seconds: float) -> bytes:
    """The body, of ``most`` bytes at most, which gets so many ``seconds`` to come.

    Raises:
        BadBody: it is too large or too slow, or the connection broke.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise BadBody(413, f"a body may have {most} bytes at most")
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                body += part
                if len(body) > most:
                    raise BadBody(413, f"a body may have {most} bytes at most")
    except TimeoutError:
        raise BadBody(408, f"the body has not come within {seconds:g} s") from None
    except ClientDisconnect:
        raise BadBody(400, "the connection broke") from None
    return bytes(body)
