"""Held payloads for people: opened, and what they look like without any of their values."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from ajo_producers.contract.sealing import BrokenSeal, Sealer, UnknownKey
from msgspec import Struct

NAME = re.compile(r"[a-zA-Z_][\w-]{0,63}", re.ASCII)
UNNAMED = "…"
"""Stands for a key that is no name, since it may be a value that slipped."""


class UnreadablePayload(Exception):  # noqa: N818 - says what it found
    """A held payload can't be read; says why, and nothing of what is in it."""


class Part(Struct, frozen=True):
    """A place in a payload: its path, the types of its values, and how many there are."""

    path: str
    types: list[str]
    times: int


def read_payload(sealer: Sealer, key_id: str | None, held: bytes) -> tuple[bytes, Any]:
    """A held payload as a line of JSON, with its numbers as they were written; and its value.

    Raises:
        UnreadablePayload: its key isn't here, its seal is broken, it is no JSON, or nested too deeply.
    """
    try:
        payload = sealer.open(key_id, held)
        value = _decoded(payload)
    except (UnknownKey, BrokenSeal) as fault:
        raise UnreadablePayload(str(fault)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UnreadablePayload("it is no JSON") from None
    except RecursionError:
        raise UnreadablePayload("it is nested too deeply") from None
    return payload.translate(bytes.maketrans(b"\r\n", b"  ")), value  # JSON has line ends between its tokens alone


def _decoded(payload: bytes) -> Any:  # noqa: ANN401 - a value of JSON
    """The value of JSON, as deep as a worker has read it: how deep that may be depends on the calls it stands in."""
    try:
        return msgspec.json.decode(payload)
    except RecursionError:
        with ThreadPoolExecutor(1) as thread:  # with a stack of its own, which is empty
            return thread.submit(msgspec.json.decode, payload).result()


def shape(value: object) -> list[Part]:
    """The paths of all values, in their order; the elements of a list are one place. Pure."""
    places: dict[str, Counter[str]] = {}
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        path, here = waiting.pop()
        inner: list[tuple[str, Any]] = []
        if isinstance(here, dict):
            inner = [(f"{path}.{_name(key)}".lstrip("."), each) for key, each in here.items()]
        elif isinstance(here, list):
            inner = [(f"{path}[]", each) for each in here]
        if inner:
            waiting += reversed(inner)
        else:
            places.setdefault(path, Counter())[_type(here)] += 1
    return [Part(path, list(types), types.total()) for path, types in places.items()]


def _name(key: str) -> str:
    return key if NAME.fullmatch(key) else UNNAMED


def _type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case dict():
            return "empty object"
        case list():
            return "empty array"
        case _:
            return "number"
