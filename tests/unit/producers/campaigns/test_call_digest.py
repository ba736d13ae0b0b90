"""The call digest tells definitions apart that lead to other calls, and no others."""

from pathlib import Path
from typing import Any

import pytest
from ajo_producers.campaigns.call_digest import SHAPES_THE_CALL, call_digest
from ajo_producers.campaigns.definition import Definition, Variable
from ajo_producers.campaigns.folder import parse_definition

from tests.support.definitions import ORDER_SHIPPED, ORDER_SHIPPED_TOML, definition

OF_NO_CALL: dict[str, Any] = {
    "name": "order-sent",
    "lane": "high-throughput",
    "start": None,
    "end": None,
    "priority": "urgent",
    "rate_limit": 3.0,
    "concurrency": 2,
    "on_ambiguous": "hold",
    "attempt_timeout": 20.0,
    "budget": 30.0,
    "creates_profiles": True,
    "address_check": "off",
    "replaces": ("0123456789abcdef",),
}
"""When calls are made, and what follows; the lane's own endpoint tells it apart."""


@pytest.mark.parametrize("field", Definition.__struct_fields__)
def test_every_field_either_shapes_the_call_or_does_not(field: str) -> None:
    if field in OF_NO_CALL:
        assert call_digest(definition(**{field: OF_NO_CALL[field]})) == call_digest(ORDER_SHIPPED)
    else:
        assert field in SHAPES_THE_CALL


@pytest.mark.parametrize(
    "change",
    [
        {"campaign_id": "00000000-1111-4222-8333-444455556666"},
        {"endpoint": "https://platform-stage.adobe.io/ajo/im/executions/unitary"},
        {"sandbox": "stage"},
        {"recipient_type": "external"},
        {"merge_policy_name": "newest"},
        {"context": {**ORDER_SHIPPED.context, "carrier": Variable(default="the courier")}},
        {"context": {**ORDER_SHIPPED.context, "orderId": Variable(type="number")}},
        {"context": {**ORDER_SHIPPED.context, "orderId": Variable(one_of=("A-1",))}},
        {"profile": {"firstName": Variable()}},
        {"profile": {}},
    ],
)
def test_what_changes_a_call_changes_it(change: dict[str, Any]) -> None:
    assert call_digest(definition(**change)) != call_digest(ORDER_SHIPPED)


def test_it_is_the_same_wherever_and_in_whichever_order_it_is_written() -> None:
    head, _, context = ORDER_SHIPPED_TOML.partition("[context]\n")
    turned = "\n".join([*reversed(head.strip().splitlines()[:7]), *head.splitlines()[8:]])
    turned += "\n[context]\n" + "\n".join(reversed(context.strip().splitlines()))
    for text in (ORDER_SHIPPED_TOML, turned, "# a comment\nrate_limit = 5\n" + turned):
        assert call_digest(parse_definition(text, Path("order-shipped.toml"))) == "53a70fc217a9e96e"


def test_the_few_values_of_a_variable_are_the_same_in_any_order() -> None:
    one, other = ({"size": Variable(one_of=values)} for values in (("S", "M"), ("M", "S")))
    assert call_digest(definition(context=one)) == call_digest(definition(context=other))
