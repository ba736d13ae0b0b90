"""Writing definition files and bringing new samples into them."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from ajo_producers.campaigns.definition import Definition, Variable
from ajo_producers.campaigns.file import merge, render
from ajo_producers.campaigns.folder import DefinitionError, parse_definition
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, structs

PATH = Path("order-shipped.toml")
SAMPLE = Definition(
    name="order-shipped",
    campaign_id="c-1",
    lane="standard",
    endpoint="https://platform.adobe.io/ajo/im/executions/unitary",
    organization="ABC@AdobeOrg",
    sandbox="prod",
    namespace="email",
    recipient_type="aep",
    channel_data={"emailAddress": Variable()},
    context={"customer.firstName": Variable(), "orderId": Variable(), "total": Variable(type="number")},
)
EDITED = (
    render(SAMPLE)
    .replace("# rate_limit = 500 ", "rate_limit = 50 ")
    .replace('orderId = { type = "string", required = true }', 'orderId = { default = "none" } # agreed with sales')
    .replace('sandbox = "prod"', 'sandbox = "prod" # not dev')
    .replace('total = { type = "number", required = true }', 'total = { type = "string", required = false }')
)


def test_a_written_file_reads_back_as_the_definition() -> None:
    assert parse_definition(render(SAMPLE), PATH) == SAMPLE


STEPS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="."), min_size=1, max_size=6)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
AREAS = st.dictionaries(
    STEPS.filter(lambda step: step != "system"),
    st.builds(Variable, type=st.sampled_from(["string", "array"]))
    | st.builds(Variable, one_of=st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(tuple)),
    max_size=4,
)


@given(AREAS, AREAS, AREAS, AREAS)
def test_any_variables_survive_writing_and_merging(old: Any, old_profile: Any, new: Any, new_profile: Any) -> None:
    before = structs.replace(SAMPLE, context=old, profile=old_profile)
    after = structs.replace(SAMPLE, context=new, profile=new_profile, channel_data={}, merge_policy_name="p")
    text = render(before)
    assert parse_definition(text, PATH) == before
    merged = parse_definition(merge(PATH, text, after).text, PATH)
    context, profile = _merged(old, new), _merged(old_profile, new_profile)
    assert merged == structs.replace(after, context=context, profile=profile)


def _merged(old: dict[str, Variable], new: dict[str, Variable]) -> dict[str, Variable]:
    """What people have is kept; values that were asked for of the sample are added to it."""
    made = new | {path: variable for path, variable in old.items() if path in new}
    for path, variable in new.items():
        if path in old and variable.one_of is not UNSET:
            have = () if old[path].one_of is UNSET else old[path].one_of
            made[path] = structs.replace(old[path], one_of=tuple(dict.fromkeys((*have, *variable.one_of))))
    return made


def test_importing_the_same_sample_again_changes_nothing() -> None:
    merged = merge(PATH, EDITED, SAMPLE)
    assert (merged.text, merged.added, merged.removed) == (EDITED, [], [])


def test_a_new_sample_changes_what_adobe_decides_and_keeps_what_people_edited() -> None:
    context = {"orderId": Variable(), "total": Variable(type="number"), "carrier.name": Variable()}
    after = structs.replace(SAMPLE, campaign_id="c-2", sandbox="prod-eu", context=context)
    merged = merge(PATH, EDITED, after)
    assert merged.added == ["context.carrier.name"]
    assert merged.removed == ["context.customer.firstName"]
    before, lines = EDITED.splitlines(), merged.text.splitlines()
    assert [line for line in before if line not in lines] == [
        'campaign_id = "c-1"',
        'sandbox = "prod" # not dev',
        '"customer.firstName" = { type = "string", required = true }',
    ]
    assert [line for line in lines if line not in before] == [
        'campaign_id = "c-2"',
        'sandbox = "prod-eu" # not dev',
        '"carrier.name" = { type = "string", required = true }',
    ]


def test_a_field_and_a_table_that_are_new_find_their_places() -> None:
    after = structs.replace(SAMPLE, merge_policy_name="p", profile={"name": Variable()})
    merged = merge(PATH, EDITED, after)
    data = tomllib.loads(merged.text)
    assert data["merge_policy_name"] == "p"
    assert data["profile"] == {"name": {"type": "string", "required": True}}


def test_a_table_is_removed_with_its_last_variable() -> None:
    assert "channel_data" not in tomllib.loads(merge(PATH, EDITED, structs.replace(SAMPLE, channel_data={})).text)


@pytest.mark.parametrize(
    "table",
    [
        "context.orderId = { required = false }",
        "[context.orderId]\nrequired = false",
        "context = { orderId = { required = false } }",
    ],
)
def test_variables_may_be_written_in_any_of_toml_s_ways(table: str) -> None:
    text = render(structs.replace(SAMPLE, context={}, channel_data={})) + table + "\n"
    after = structs.replace(SAMPLE, context={"orderId": Variable(), "a.b": Variable()}, channel_data={})
    merged = parse_definition(merge(PATH, text, after).text, PATH)
    assert merged.context == {"orderId": Variable(required=False), "a.b": Variable()}


def test_a_faulty_file_is_not_touched() -> None:
    with pytest.raises(DefinitionError, match=r"order-shipped\.toml:4: campaign_id"):
        merge(PATH, EDITED.replace('"c-1"', "1"), SAMPLE)


def test_a_person_s_way_of_quoting_is_kept() -> None:
    text = EDITED.replace('lane = "standard"', "lane = 'standard'")
    assert merge(PATH, text, SAMPLE).text == text


def test_an_import_that_would_break_the_file_is_refused() -> None:
    fast = structs.replace(
        SAMPLE,
        lane="high-throughput",
        endpoint="https://platform.adobe.io/ajo/im/executions/highthroughput",
        recipient_type="external",
    )
    text = render(fast).replace("# rate_limit = 5000 ", "rate_limit = 4000 ")
    with pytest.raises(DefinitionError, match="rate_limit is above the 500 calls"):
        merge(PATH, text, SAMPLE)
