"""Whatever comes over the wire, the decoder raises its own two exceptions alone, and good triggers are read.

``AJO_FUZZ_EXAMPLES=100000`` tries longer.
"""

import json
from copy import deepcopy
from typing import Any

from ajo_producers.contract.batch import BadMessage, BadTrigger, Batch, decode_body, decode_trigger, encode_trigger
from ajo_producers.contract.trigger import Trigger
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Raw

from tests.support.examples import examples
from tests.support.mutations import mutated, paths

ADDRESS = "ada@example.com"
TRIGGER: dict[str, Any] = {
    "request_id": "01a1961f-5c00-73fe-a636-947fdb6ac011",
    "campaign": "order-shipped",
    "recipients": [{"user_id": ADDRESS, "channel_data": {"emailAddress": ADDRESS}, "context": {"orderId": "A-1"}}],
    "occurred_at": "2026-11-01T07:59:58.5+01:00",
    "expires_at": None,
    "trace_id": "t-1",
}
MESSAGE: list[Any] = [
    [
        {
            "version": 1,
            "batch_id": "01a1961f-5c00-7000-8000-000000000000",
            "producer": "shop",
            "enqueued_at": "2026-11-01T08:00:00Z",
            "triggers": [TRIGGER, TRIGGER],
        }
    ],
    {},
    {"callbacks": None, "errbacks": None, "chain": None, "chord": None},
]
BODY = json.dumps(MESSAGE).encode()
GOOD = decode_trigger(json.dumps(TRIGGER).encode())

EDGES = ["", " ", "\0", "\ud800", "0", "-0", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+23:59", "x" * 513]
EDGES += ["9999-12-31T23:59:59.999999999-23:59", "2026-11-01T24:00:00Z", "2026-11-01T08:00:00", ADDRESS]
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(EDGES),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*TRIGGER, "a", ""]), inner, max_size=4)
    ),
    max_leaves=10,
)
texts = values.map(lambda value: json.dumps(value).encode())
numbers = st.sampled_from([b"1e999", b"-1e999", b"9" * 400, b"0." + b"9" * 400, b"1e-999", b"NaN", b"01", b"1."])
garbage = st.one_of(texts, numbers, st.binary(max_size=8), st.sampled_from([b'"', b"[", b"]", b"{", b"}", b",", b"\\"]))
fuzz = settings(max_examples=examples(300))


def changed(value: Any, draw: st.DrawFn) -> Any:
    """A copy of a JSON value with another value, or nothing, at one to three places in it."""
    made = deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        if not (places := paths(made)):
            return draw(values)
        *steps, last = draw(st.sampled_from(places))
        holder = made
        for step in steps:
            holder = holder[step]
        if draw(st.booleans()):
            del holder[last]
        else:
            holder[last] = draw(values)
    return made


changed_messages = st.composite(lambda draw: json.dumps(changed(MESSAGE, draw)).encode())()
changed_triggers = st.composite(lambda draw: json.dumps(changed(TRIGGER, draw)).encode())()


def batch_of(body: bytes) -> Batch | None:
    """The batch, or None for a message that is refused without showing its content."""
    reason = ""
    try:
        return decode_body(body)
    except BadMessage as bad:
        reason = str(bad)
    assert reason
    assert ADDRESS not in reason
    return None


def trigger_of(raw: bytes | Raw) -> Trigger | None:
    """The trigger, or None for one that is refused without showing its content."""
    reason = ""
    try:
        return decode_trigger(raw)
    except BadTrigger as bad:
        reason = str(bad)
    assert reason
    assert ADDRESS not in reason
    return None


def read(body: bytes) -> None:
    """Read a message as a worker does. What was read can be written, and read again."""
    batch = batch_of(body)
    for raw in batch.triggers if batch else ():
        if trigger := trigger_of(raw):
            assert decode_trigger(encode_trigger(trigger)) == trigger


@fuzz
@given(st.binary(max_size=200) | garbage)
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(BODY.decode().encode("utf-16"))
def test_bytes_of_any_kind_are_read_or_refused(body: bytes) -> None:
    read(body)


@fuzz
@given(texts, texts, texts)
def test_json_of_any_kind_is_read_or_refused(args: bytes, kwargs: bytes, embed: bytes) -> None:
    read(args)
    read(b"[" + b",".join((args, kwargs, embed)) + b"]")
    read(b"[[" + args + b"]," + kwargs + b"," + embed + b"]")


@fuzz
@given(mutated(BODY, garbage) | changed_messages)
def test_a_message_with_faults_in_it_is_read_or_refused(body: bytes) -> None:
    read(body)


@fuzz
@given(mutated(json.dumps(TRIGGER).encode(), garbage) | changed_triggers | texts)
@example(b"[" * 100_000)
def test_a_trigger_with_faults_in_it_is_read_or_refused(raw: bytes) -> None:
    trigger_of(raw)


@fuzz
@given(st.lists(changed_triggers | texts, max_size=4), st.integers(0, 4))
@example([b'"\xff"', b'{"campaign": "\xff\xfe"}'], 1)
@example([rb'"\ud83d"', rb'"\\\udc00"', rb'"\ud83d\ude00 \\ud83d"'], 2)
@example([b"[" * 200 + b"]" * 200], 0)
def test_a_good_trigger_is_read_whatever_its_neighbours_are(neighbours: list[bytes], place: int) -> None:
    raws = [*neighbours[:place], json.dumps(TRIGGER).encode(), *neighbours[place:]]
    head, tail = json.dumps(MESSAGE).encode().split(json.dumps([TRIGGER, TRIGGER]).encode())
    batch = decode_body(head + b"[" + b",".join(raws) + b"]" + tail)
    assert len(batch.triggers) == len(raws)
    assert decode_trigger(batch.triggers[min(place, len(neighbours))]) == GOOD
