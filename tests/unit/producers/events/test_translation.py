"""An event becomes the triggers of the mappings that take it, or is told by path why not; the same stays the same."""

from typing import Any

import pytest
from ajo_producers.events.translation import Translation, key_of, trace_of
from ajo_producers.publishing.request_id import keyed_request_id
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.producers.events.mapped import SHIPPED, event_json, event_of, translated

GOOD = event_json()["data"]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SECRET = "planted-5d41402abc4b"


def without(*path: str) -> dict[str, Any]:
    """Good data, less one value."""
    data = event_json()["data"]
    place = data
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return dict(data)


def told(found: Translation) -> list[str]:
    return [str(fault) for fault in found.faults]


def test_an_event_becomes_a_trigger_with_its_time_key_and_trace() -> None:
    found = translated(SHIPPED, traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")
    assert found.status == "taken"
    [trigger] = [checked.trigger for checked in found.triggers]
    event = event_of()
    assert trigger.request_id == keyed_request_id("order-shipped", "/shop A-1", event.time)
    assert (trigger.occurred_at, trigger.trace_id) == (event.time, TRACE)
    [recipient] = trigger.recipients
    assert (recipient.user_id, recipient.context["orderId"]) == ("ada@example.com", "A-1")
    assert recipient.context["customer"] == {"firstName": "Ada"}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"data": {**GOOD, "carrier": "x"}}, True),
        ({"subject": "x"}, True),
        ({"time": "2026-11-29T09:00:00+01:00"}, True),
        ({"id": "A-2"}, False),
        ({"source": "/other"}, False),
        ({"time": "2026-11-29T08:00:01Z"}, False),
    ],
)
def test_the_same_id_source_and_time_are_the_same_request(change: dict[str, Any], same: bool) -> None:
    [first], [second] = translated(SHIPPED).triggers, translated(SHIPPED, **change).triggers
    assert (first.request_id == second.request_id) == same


@pytest.mark.parametrize(
    ("change", "status", "faults"),
    [
        (
            {"data": without("orderId")},
            "refused",
            ["order-shipped: data.orderId is missing, for context.orderId of order-"],
        ),
        ({"data": without("customer", "email")}, "refused", ["order-shipped: data.customer.email is missing"]),
        (
            {"data": {"status": "shipped"}},
            "refused",
            [
                "order-shipped: data.customer.email is missing",
                "order-shipped: data.customer.firstName is missing",
                "order-shipped: data.orderId is missing",
            ],
        ),
        (
            {"data": {**GOOD, "orderId": {"a": 1}}},
            "refused",
            ["order-shipped: data.orderId must be of type string, not o"],
        ),
        (
            {"data": {**GOOD, "status": "packed"}},
            "unmatched",
            ["type com.example.order.shipped is known, and no mapping"],
        ),
        (
            {"type": "com.example.order.shiped"},
            "unmatched",
            ["type com.example.order.shiped is taken by no mapping; did"],
        ),
        ({"type": "x y"}, "unmatched", ["type this one is taken by no mapping; known: com.example.order.shipped"]),
        ({"data": "text"}, "unmatched", ["type com.example.order.shipped is known"]),
        ({"type": "quite.another"}, "unmatched", ["type quite.another is taken by no mapping; known: com.example"]),
    ],
)
def test_what_is_wrong_is_told_by_where_it_stands_in_the_event(
    change: dict[str, Any], status: str, faults: list[str]
) -> None:
    found = translated(SHIPPED, **change)
    assert (found.status, found.triggers) == (status, ())
    assert len(told(found)) == len(faults), told(found)
    for one, begin in zip(told(found), faults, strict=True):
        assert one.startswith(begin)


@pytest.mark.parametrize(
    ("value", "status", "eta"),
    [
        ("'data.eta'", "taken", "in the next days"),
        ("{ from = 'data.eta', default = 'soon' }", "taken", "soon"),
        ("{ from = 'data.eta', missing = 'refuse' }", "refused", None),
        ("{ from = 'data.eta', missing = 'skip' }", "skipped", None),
        ("{ value = 'Monday' }", "taken", "Monday"),
        ("'to_string(data.orderId)'", "taken", "A-1"),
        ("'length(data.eta)'", "refused", None),
    ],
)
def test_a_missing_field_does_what_the_file_says(value: str, status: str, eta: str | None) -> None:
    found = translated(f"{SHIPPED}eta = {value}\n")
    assert found.status == status
    assert [one.trigger.recipients[0].context["eta"] for one in found.triggers] == ([eta] if eta else [])


def test_one_event_goes_to_several_campaigns_and_the_fault_of_one_keeps_no_other_back() -> None:
    text = f"""{SHIPPED}
[reset]
campaign = "password-reset"
source = ["/shop", "/store*"]
to = "data.customer.email"
[reset.context]
{RESET_CONTEXT}
"""
    found = translated(text)
    assert [one.trigger.campaign for one in found.triggers] == ["order-shipped", "password-reset"]
    assert len({one.request_id for one in found.triggers}) == 2
    half = translated(text, data=without("orderId"))
    assert (half.status, [one.trigger.campaign for one in half.triggers]) == ("refused", ["password-reset"])


RESET_CONTEXT = "resetLink = { value = 'https://example.com/' }\nvalidMinutes = 15"


def test_two_messages_of_one_campaign_need_two_keys() -> None:
    second = SHIPPED.replace("[order-shipped", "[gift").replace("[gift]", '[gift]\ncampaign = "order-shipped"')
    other = second.replace("data.customer.email", "data.giver")
    data = {**GOOD, "giver": "bob@example.com"}
    clash = translated(SHIPPED + other, data=data)
    assert (clash.status, len(clash.triggers)) == ("refused", 1)
    assert "with the key of order-shipped" in told(clash)[0]
    apart = other.replace("when =", "key = \"join(' ', [source, id, 'gift'])\"\nwhen =")
    assert len(translated(SHIPPED + apart, data=data).triggers) == 2
    same = translated(SHIPPED + second, data=data)
    assert (same.status, len(same.triggers)) == ("taken", 1)
    assert same.considered[1].skipped == "it is the same message as that of order-shipped"


@pytest.mark.parametrize(
    ("key", "data", "fault"),
    [
        ("data.orderId", GOOD, None),
        ("data.n", {**GOOD, "n": 7}, None),
        ("data.none", GOOD, "order-shipped: data.none is missing, for key"),
        ("data.n", {**GOOD, "n": True}, "order-shipped: data.n"),
        ("data.n", {**GOOD, "n": "x" * 600}, "order-shipped: data.n must be text of 1 to 512 characters"),
    ],
)
def test_a_key_of_ones_own_is_never_left_out(key: str, data: dict[str, Any], fault: str | None) -> None:
    found = translated(SHIPPED.replace("when =", f'key = "{key}"\nwhen ='), data=data)
    assert bool(found.faults) == (fault is not None)
    assert (fault or "") in " ".join(told(found))


def test_a_type_is_known_by_the_conditions_on_types_alone() -> None:
    by_source = SHIPPED.replace('type = "com.example.order.shipped"', 'source = "/shop"').replace("shipped'", "sent'")
    assert told(translated(by_source)) == [
        "type com.example.order.shipped is taken by no mapping; none is known by its name"
    ]
    many = "".join(
        SHIPPED.replace("order.shipped", f"t{number}").replace("[order-shipped", f"[m{number}") for number in range(7)
    )
    many = many.replace("when =", 'campaign = "order-shipped"\nwhen =')
    assert told(translated(many, type="other"))[0].endswith("com.example.t4 and 2 more")


def test_events_that_no_mapping_takes_may_be_ignored() -> None:
    assert translated("unmatched = 'ignore'\n" + SHIPPED, type="x").status == "ignored"


@pytest.mark.parametrize(
    ("traceparent", "trace"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", TRACE),
        (f"cc-{TRACE}-00f067aa0ba902b7-01-later", TRACE),
        (f"ff-{TRACE}-00f067aa0ba902b7-01", None),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-00f067aa0ba902b7-01", None),
        ("checkout-7f31", None),
        (None, None),
    ],
)
def test_the_trace_is_that_of_a_valid_traceparent(traceparent: str | None, trace: str | None) -> None:
    assert trace_of(event_of(traceparent=traceparent)) == trace


def test_a_key_is_read_in_one_way_only() -> None:
    events = [("/a", "b c"), ("/a b", "c"), ("/a", "x" * 600), ("/a" + "x" * 600, "1"), ("/a", "nul\0")]
    keys = [key_of(event_of(source=source, id=id_)) for source, id_ in events]
    assert keys[0] == "/a b c"
    assert len(set(keys)) == len(keys)
    assert all(len(key) <= 512 for key in keys)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(SECRET),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["status", "orderId", "customer", "email"]), inner),
    max_leaves=8,
)


@given(JSON)
def test_any_data_is_translated_and_no_fault_shows_a_value(data: object) -> None:
    mapping = SHIPPED.replace("when = \"data.status == 'shipped'\"\n", "")
    found = translated(mapping, data={"x": data} if data is None else data)
    assert found.status in ("taken", "refused")
    assert bool(found.triggers) != bool(found.faults)
    assert SECRET not in " ".join(told(found))
