"""Nothing of a message is unpacked before its bounds are known, and what can't be read breaks no connection.

kombu would inflate whatever a header names (``compression``), run a body through any codec of Python
(``content_encoding: bz2_codec``), and build objects of JSON of any length: 785 bytes become a gigabyte, and kill every
worker that takes them. py-amqp raises at a header that it can't read (a date in the year 5 billion, tables in
tables), which looks like a broken connection, again and again: so nothing behind that message is ever read.
"""

from typing import Any

from ajo_producers.contract.lanes import TASK_NAME
from ajo_producers.contract.task_message import CONTENT_TYPE, PLAIN_ENCODINGS
from ajo_producers.contract.unreadable import UNREADABLE, read_past_unreadable
from kombu import compression, serialization


def refuse_unpacking() -> None:
    """Have kombu unpack nothing but JSON, and py-amqp read past what it can't read."""
    for kind in compression.encoders():
        compression.register(_refused, _refused, kind)
    serialization._decode = _refused
    read_past_unreadable()


def why_unread(message: Any) -> str | None:
    """Why a message goes to quarantine as it is, without a look into its body; None if it doesn't. Pure."""
    headers, encoding = message.headers, message.content_encoding
    if UNREADABLE in headers:
        return f"its headers can't be read: {headers[UNREADABLE]!s:.100}"
    if message.errors:
        return "refused: the header `compression` asks for unpacking it"
    if "task" not in headers:
        return "not a task message: the header `task` is missing"
    if headers["task"] != TASK_NAME:
        return "the header `task` names another task"
    if not _is_json(message.content_type):
        return f"refused: its content type is not {CONTENT_TYPE}"
    if str(encoding or "").lower() not in PLAIN_ENCODINGS:
        return "refused: its content encoding is not utf-8"
    return None


def _is_json(content_type: object) -> bool:
    """Many clients say by themselves that their JSON is UTF-8, as all JSON is that is exchanged (RFC 8259, 8.1)."""
    kind, _, parameters = str(content_type or "").lower().partition(";")
    return kind.strip() == CONTENT_TYPE and parameters.replace('"', "").strip() in {"", "charset=utf-8"}


def _refused(*_: Any) -> bytes:
    raise ValueError("a message is not unpacked")
