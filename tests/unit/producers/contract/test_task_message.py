"""What surrounds a batch: a Celery task message, with nothing of a payload."""

from uuid import UUID

import pytest
from ajo_producers.contract.task_message import headers, message_id, properties, summary

BATCH = UUID(int=1)
ONE = UUID(int=2)
OTHER = UUID(int=3)


def test_a_message_with_one_trigger_has_its_id_and_others_the_batchs() -> None:
    assert message_id(BATCH, [ONE]) == ONE
    assert message_id(BATCH, [ONE, OTHER]) == BATCH


@pytest.mark.parametrize(
    ("campaigns", "request_ids", "expected"),
    [
        (["order-shipped"], [ONE], f"order-shipped {ONE}"),
        (["order-shipped"] * 2, [ONE, OTHER], "order-shipped ×2"),
        (["order-shipped", "refund"], [ONE, OTHER], "2 campaigns ×2"),
    ],
)
def test_the_summary_says_what_and_how_many(campaigns: list[str], request_ids: list[UUID], expected: str) -> None:
    assert summary(campaigns, request_ids) == expected


def test_headers_are_those_of_protocol_2_and_ask_for_no_result() -> None:
    found = headers(ONE, origin="1@shop", summary="order-shipped ×2")
    assert found["task"] == "ajo.dispatch"
    assert found["id"] == found["root_id"] == properties(ONE)["correlation_id"] == str(ONE)
    assert found["argsrepr"] == "order-shipped ×2"
    assert found["ignore_result"] is True
    assert [found[name] for name in ("eta", "expires", "parent_id", "group")] == [None] * 4
    assert "reply_to" not in properties(ONE)
    assert properties(ONE)["delivery_mode"] == 2
