"""The JSON Schema of triggers takes what the SDK takes, and refuses what it refuses."""

from typing import Any

import pytest
from ajo_producers import InvalidTrigger
from ajo_producers.campaigns.codegen.json_schema import json_schema
from ajo_producers.campaigns.definition import Definition, Variable
from ajo_producers.publishing.campaign import Campaign
from jsonschema import Draft202012Validator

DEFINITION = Definition(
    name="order", campaign_id="b27f4a18", lane="standard", organization="0@AdobeOrg", sandbox="prod",
    endpoint="https://platform.adobe.io/ajo/im/executions/unitary", namespace="email", recipient_type="aep",
    channel_data={"emailAddress": Variable()},
    profile={"person.name": Variable(required=False)},
    context={
        "orderId": Variable(), "lines": Variable(type="array"), "total": Variable(type="number", required=False),
        "paid": Variable(type="boolean", default=True), "size": Variable(default="S", one_of=("S", "M")),
        "stars": Variable(type="number", one_of=(1, 2.5)), "address.city": Variable(), "meta": Variable(type="object"),
    },
)  # fmt: skip
SCHEMA = json_schema([DEFINITION])
ADA: dict[str, Any] = {"to": "ada@example.com"}
FULL: dict[str, Any] = {"orderId": "A-1", "lines": [], "address": {"city": "Graz"}, "meta": {}, "stars": 1}


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (ADA | {"context": FULL}, True),
        (ADA | {"context": FULL | {"total": 1.5, "paid": None, "orderId": 7}}, True),
        (ADA | {"context": FULL | {"total": "1.5", "paid": "true"}, "profile": {"person": {"name": None}}}, True),
        (ADA | {"context": FULL, "profile": {"person": None}}, True),
        (ADA | {"context": FULL, "user_id": "ada@example.com", "key": "A-1", "expires_in": 60}, True),
        ({"recipients": [ADA | {"context": FULL}, {"to": "bob@example.com", "context": FULL}]}, True),
        (ADA | {"context": FULL | {"size": "M", "stars": 2.5}}, True),
        (ADA | {"context": FULL | {"size": None}}, True),
        (ADA | {"context": FULL | {"size": "L"}}, False),
        (ADA | {"context": FULL | {"stars": "1"}}, False),
        (ADA | {"context": FULL | {"stars": None}}, False),
        (ADA, False),
        ({"context": FULL}, False),
        (ADA | {"context": FULL | {"orderId": None}}, False),
        (ADA | {"context": FULL | {"orderId": []}}, False),
        (ADA | {"context": FULL | {"lines": {}}}, False),
        (ADA | {"context": FULL | {"address": {}}}, False),
        (ADA | {"context": FULL | {"address": None}}, False),
        (ADA | {"context": FULL | {"extra": 1}}, False),
        (ADA | {"context": FULL | {"total": []}}, False),
        (ADA | {"context": FULL, "profile": {"person": {"age": 7}}}, False),
        (ADA | {"context": FULL, "expires_in": -1}, False),
        (ADA | {"context": FULL, "key": ""}, False),
        (ADA | {"context": FULL, "recipients": [ADA | {"context": FULL}]}, False),
        ({"recipients": []}, False),
        ({"recipients": [ADA]}, False),
    ],
)
def test_the_schema_and_the_sdk_agree(given: dict[str, Any], taken: bool) -> None:
    assert Draft202012Validator(SCHEMA).is_valid(given) == taken
    assert Draft202012Validator(SCHEMA["$defs"]["order"]).is_valid(given) == taken
    try:
        Campaign(DEFINITION).trigger(**given)
    except InvalidTrigger:
        assert not taken
    else:
        assert taken


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
