"""A mapping file is read with every fault at once: file, line, field, and what was perhaps meant."""

from pathlib import Path

import pytest
from ajo_producers.campaigns.definition import Variable
from ajo_producers.campaigns.folder import Definitions
from ajo_producers.events.file import MappingError, load_mappings, parse_mappings
from ajo_producers.events.mapping import Value
from msgspec import structs

from tests.unit.producers.events.mapped import DEFINITIONS, SHIPPED, mappings_of

BEFORE = """\
[order-shipped]
type = "a"
to = "data.email"
[order-shipped.context]
orderId = "data.id"
"customer.firstName" = "data.name"
"""


def problems(text: str) -> list[str]:
    with pytest.raises(MappingError) as caught:
        mappings_of(text)
    return list(caught.value.problems)


def test_a_mapping_is_read() -> None:
    [mapping] = mappings_of(SHIPPED).mappings
    assert (mapping.name, mapping.campaign) == ("order-shipped", "order-shipped")
    assert mapping.patterns == {"type": ("com.example.order.shipped",)}
    assert mapping.when is not None
    assert list(mapping.fields) == ["to", "context.orderId", "context.customer.firstName"]


@pytest.mark.parametrize("given", ["{ value = 'L' }", "{ from = 'data.size', default = 'L' }"])
def test_a_constant_is_one_of_the_few_values_that_the_campaign_takes(given: str) -> None:
    campaign = DEFINITIONS["order-shipped"]
    sized = structs.replace(campaign, context=campaign.context | {"size": Variable(one_of=("S", "M"))})
    with pytest.raises(MappingError, match=r'context\.size must be one of "S", "M", as order-shipped has it'):
        parse_mappings(f"{BEFORE}size = {given}\n", Path("events.toml"), Definitions({"order-shipped": sized}))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("eta = { value = [7] }", "order-shipped.context.eta must be of type string, as order-shipped has it"),
        ("eta = { value = 'soon' }", None),
        ("eta = { from = 'data.eta', default = 'soon' }", None),
        ("eta = { from = 'data.eta', missing = 'skip' }", None),
        ("eta = { from = 'data.eta', missing = 'drop' }", "eta.missing must be omit, refuse or skip"),
        ("eta = { from = 'data.eta', default = 'x', missing = 'skip' }", "eta.missing has no meaning beside default"),
        (
            "eta = { frm = 'data.eta' }",
            "order-shipped.context.eta.frm is no variable of order-shipped; did you mean eta?",
        ),
        ("eta = { from = 'data.eta', defualt = 'x' }", "eta.defualt is unknown; did you mean default?"),
        ("eta = { value = 'x', from = 'data.x' }", "eta must have either from (an expression) or value (a constant)"),
        ("eta = { value = 'x', default = 'y' }", "eta.default has no meaning beside value"),
        ("eta = []", "eta must be an expression"),
        ("ordrId = 'data.x'", "order-shipped.context.ordrId is no variable of order-shipped; did you mean orderId?"),
        ("carrier = 'carrier'", "order-shipped.context.carrier looks for 'carrier' at the top of an event"),
    ],
)
def test_fields_are_checked_against_the_campaign(more: str, told: str | None) -> None:
    text = f"{BEFORE}{more}\n"
    if told is None:
        assert mappings_of(text).mappings
        return
    [problem] = problems(text)
    assert problem.startswith("events.toml:7: ")
    assert told in problem


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ["events.toml: no mappings: each is a table, such as [order-shipped]"]),
        ("[", ["events.toml: not TOML: "]),
        ("unmached = 'ignore'\n" + BEFORE, ["events.toml:1: unmached is no table and no setting of the file; did you"]),
        ("unmatched = 'drop'\n" + BEFORE, ["events.toml:1: unmatched must be dead-letter or ignore"]),
        ("extensions = 'tenant'\n" + BEFORE, ["events.toml:1: extensions must be a list of attribute names"]),
        ("[Order]\ntype = 'a'", ["events.toml:1: Order is no mapping's name"]),
        ("[order-shiped]\ntype = 'a'\nto = 'data.a'", ["events.toml:1: order-shiped is no campaign's name: add camp"]),
        (BEFORE.replace('"a"', '""'), ["events.toml:2: order-shipped.type must be text, or a list of texts"]),
        (BEFORE.replace('"a"', "7"), ["events.toml:2: order-shipped.type must be text, or a list of texts"]),
        (BEFORE.replace("type", "tipe"), ["events.toml:2: order-shipped.tipe is unknown; did you mean type?"]),
        (BEFORE.replace('type = "a"', ""), ["events.toml:1: order-shipped takes every event there is"]),
        (BEFORE.replace("to =", "trace_id ="), ["events.toml:1: order-shipped has no recipient: add to ="]),
        (BEFORE.replace("orderId", "carrier"), ["events.toml:1: order-shipped gives no context.orderId, which order-"]),
        (
            "[order-shipped]\ncampaign = 'x'\ntype = 'a'",
            ["events.toml:2: order-shipped.campaign is 'x', which no"],
        ),
        (
            BEFORE.replace("to =", "key = { from = 'data.k', missing = 'omit' }\nto ="),
            ["events.toml:3: order-shipped.key.missing can't be omit"],
        ),
        (
            "[order-shipped]\ntype = 'a'\nwhen = '!data.x.y'\ncontext = 7\nto = 'mail'",
            [
                "events.toml:1: order-shipped gives no context.customer.firstName",
                "events.toml:1: order-shipped gives no context.orderId",
                "events.toml:3: order-shipped.when negates only",
                "events.toml:4: order-shipped.context must be a table of variables",
                "events.toml:5: order-shipped.to looks for 'mail'",
            ],
        ),
    ],
)
def test_every_fault_is_told_with_its_line(text: str, told: list[str]) -> None:
    found = problems(text)
    assert len(found) == len(told), found
    for problem, begin in zip(found, told, strict=True):
        assert problem.startswith(begin), problem


def test_variables_may_be_nested_and_constants_stand_as_they_are() -> None:
    nested = BEFORE.replace('"customer.firstName" = "data.name"', 'customer = { firstName = "data.name" }')
    assert list(mappings_of(nested).mappings[0].fields) == list(mappings_of(BEFORE).mappings[0].fields)
    timed = mappings_of(BEFORE.replace("to =", "expires_in = 3600\nto ="))
    assert timed.mappings[0].fields["expires_in"] == Value(constant=3600)


@pytest.mark.parametrize(("content", "told"), [(None, "No such file"), (b"\xff", "not UTF-8 text")])
def test_a_file_that_can_not_be_read_is_told(content: bytes | None, told: str, tmp_path: Path) -> None:
    file = tmp_path / "events.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(MappingError, match=told):
        load_mappings(file, DEFINITIONS)
