"""A request's body, bounded in bytes and in time."""

from urllib.parse import parse_qsl

import msgspec
from ajo_producers.entrance.body import BadBody, read_bytes
from starlette.requests import Request

MOST_ITEMS = 5000
FORM = "application/x-www-form-urlencoded"
"""How some providers send the messages of recipients, which may be relayed as they are."""


async def read_json(request: Request, most_bytes: int, seconds: float) -> object:
    """What a request's body holds, which gets so many ``seconds`` to come: JSON, or the fields of a form.

    Raises:
        BadBody: it is no JSON, too large, too slow, or has too many items.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    as_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    if not as_json and kind != FORM:
        raise BadBody(415, "Content-Type must be application/json")
    if request.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise BadBody(415, "Content-Encoding is not supported: send it plain")
    body = await read_bytes(request, most_bytes, seconds)
    if not as_json:
        return _form(body)
    try:
        content: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        why = str(fault) if isinstance(fault, msgspec.DecodeError) else "it is not UTF-8, or nested too deeply"
        raise BadBody(400, f"the body is no JSON: {why}") from None
    if isinstance(content, list) and len(content) > MOST_ITEMS:
        raise BadBody(413, f"a list may have {MOST_ITEMS} items at most")
    return content


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(errors="replace"), max_num_fields=MOST_ITEMS))
    except ValueError:
        raise BadBody(413, f"a form may have {MOST_ITEMS} fields at most") from None
