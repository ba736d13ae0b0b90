"""The published JSON Schema: up to date, and of one mind with what the worker reads."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ajo_producers.contract.batch import BadMessage, BadTrigger, decode_body, decode_trigger
from ajo_producers.contract.schema import message_schema
from jsonschema import Draft202012Validator, FormatChecker

DOCS = Path(__file__).parents[4] / "docs"

VALIDATOR = Draft202012Validator(message_schema(), format_checker=FormatChecker())
EXAMPLE = """[[{"version": 1, "batch_id": "01a1961f-5c00-7000-8000-000000000000", "producer": "shop",
  "enqueued_at": "2026-11-01T08:00:00Z", "triggers": [{"request_id": "01a1961f-5c00-73fe-a636-947fdb6ac011",
  "campaign": "order-shipped", "recipients": [{"user_id": "ada@example.com", "context": {"orderId": "A-1"}}],
  "occurred_at": null, "trace_id": "t-1"}]}], {},
  {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]"""


def worker_reads(body: bytes) -> bool:
    try:
        for raw in decode_body(body).triggers:
            decode_trigger(raw)
    except (BadMessage, BadTrigger):
        return False
    return True


def test_the_schema_in_the_docs_is_the_present_one() -> None:
    Draft202012Validator.check_schema(message_schema())
    assert json.loads((DOCS / "message.schema.json").read_text(encoding="utf-8")) == message_schema()


def test_the_example_in_the_docs_is_valid_and_readable() -> None:
    text = (DOCS / "message-format.md").read_text(encoding="utf-8")
    example = text.split("```json\n")[1].split("```")[0]
    VALIDATOR.validate(json.loads(example))
    assert worker_reads(example.encode())


def change(path: list[str | int], value: object) -> Callable[[Any], None]:
    def apply(message: Any) -> None:
        for step in path[:-1]:
            message = message[step]
        message[path[-1]] = value

    return apply


BATCH: list[str | int] = [0, 0]
TRIGGER: list[str | int] = [*BATCH, "triggers", 0]
RECIPIENT: list[str | int] = [*TRIGGER, "recipients", 0]


@pytest.mark.parametrize(
    ("path", "value", "valid"),
    [
        ([*BATCH, "version"], 1, True),
        ([*BATCH, "version"], 2, False),
        ([*BATCH, "version"], "1", False),
        ([*BATCH, "producer"], "", False),
        ([*BATCH, "producer"], "p" * 513, False),
        ([*BATCH, "more"], 1, False),
        ([*BATCH, "batch_id"], "no-id", False),
        ([*BATCH, "triggers"], [], False),
        ([*TRIGGER, "campaign"], None, False),
        ([*TRIGGER, "request_id"], 5, False),
        ([*TRIGGER, "occurred_at"], None, True),
        ([*TRIGGER, "occurred_at"], "2026-11-01T09:00:00+01:00", True),
        ([*TRIGGER, "occurred_at"], 5, False),
        ([*TRIGGER, "url"], "https://example.com", False),
        ([*TRIGGER, "recipients"], [], False),
        ([*TRIGGER, "recipients"], [{"user_id": str(index)} for index in range(20)], True),
        ([*TRIGGER, "recipients"], [{"user_id": str(index)} for index in range(21)], False),
        ([*RECIPIENT, "user_id"], "", False),
        ([*RECIPIENT, "profile"], {"tier": 1}, True),
        ([*RECIPIENT, "profile"], [], False),
        ([*RECIPIENT, "type"], "aep", False),
    ],
)
def test_schema_and_worker_agree(path: list[str | int], value: object, valid: bool) -> None:
    message = json.loads(EXAMPLE)
    change(path, value)(message)
    assert VALIDATOR.is_valid(message) is valid
    assert worker_reads(json.dumps(message).encode()) is valid
