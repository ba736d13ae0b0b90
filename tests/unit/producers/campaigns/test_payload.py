"""Checking payloads against a definition."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ajo_producers.campaigns.definition import Definition, Variable
from ajo_producers.campaigns.payload import MOST_UNKNOWN, as_sent, check_recipients, payload_check
from ajo_producers.campaigns.window import window_problem
from ajo_producers.contract.batch import decode_trigger, encode_trigger
from ajo_producers.contract.trigger import MAX_CONTEXT_BYTES, Recipient, Trigger
from hypothesis import given
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

FACTS: dict[str, Any] = {
    "name": "order-shipped",
    "campaign_id": "c-1",
    "lane": "standard",
    "endpoint": "https://platform.adobe.io/ajo/im/executions/unitary",
    "organization": "ABC@AdobeOrg",
    "sandbox": "prod",
    "namespace": "crm",
    "recipient_type": "aep",
}
DEFINITION = Definition(
    **FACTS,
    channel_data={"emailAddress": Variable()},
    profile={"loyalty.tier": Variable(required=False)},
    context={
        "orderId": Variable(),
        "customer.firstName": Variable(),
        "customer.address.city": Variable(),
        "carrier": Variable(required=False),
        "eta": Variable(default="soon"),
        "lines.first": Variable(type="object", default={"sku": 1}),
        "total": Variable(type="number", required=False),
        "gift": Variable(type="boolean", required=False),
        "items": Variable(type="array", required=False),
        "size": Variable(required=False, one_of=("S", "M", "1")),
        "stars": Variable(type="number", required=False, one_of=(1, 2.5)),
    },
)
CONTEXT = {"orderId": "A-1", "customer": {"firstName": "Ada", "address": {"city": "London"}}}


def recipient(user_id: str = "ada", *, channel_data: Any = None, profile: Any = None, **context: Any) -> Recipient:
    return Recipient(
        user_id=user_id,
        channel_data={"emailAddress": "ada@example.com"} if channel_data is None else channel_data,
        profile=profile or {},
        context={**CONTEXT, **context},
    )


def problems(*recipients: Recipient) -> list[str]:
    return check_recipients(DEFINITION, recipients)


def test_what_a_definition_asks_for_is_enough() -> None:
    assert problems(recipient()) == []


def test_all_missing_variables_are_told_at_once_by_path() -> None:
    assert problems(Recipient(user_id="ada")) == [
        "channel_data.emailAddress is missing",
        "context.orderId is missing",
        "context.customer.firstName is missing",
        "context.customer.address.city is missing",
    ]


def test_null_is_missing() -> None:
    assert problems(recipient(orderId=None)) == ["context.orderId is missing"]


@pytest.mark.parametrize(
    ("context", "problem"),
    [
        ({"carier": "x"}, "context.carier is unknown; did you mean context.carrier?"),
        ({"orderID": "x"}, "context.orderID is unknown; did you mean context.orderId?"),
        ({"emailAddress": "x"}, "context.emailAddress is unknown; did you mean channel_data.emailAddress?"),
        ({"zzzzzz": "x"}, "context.zzzzzz is unknown"),
        ({"lines.first": {}}, "context.lines.first must be nested: an object lines that holds first"),
        ({"system": {}}, "context.system is reserved by Journey Optimizer"),
        ({"ada@example.com": 1}, "context has a key that is no variable's name"),
        ({"customer": "Ada"}, "context.customer must be an object with firstName, address"),
        ({"orderId": ["A"]}, "context.orderId must be of type string, not array"),
        ({"orderId": {"a": 1}}, "context.orderId must be of type string, not object"),
        ({"orderId": float("nan")}, "context.orderId must be of type string, not NaN or infinite"),
        ({"orderId": b"A"}, "context.orderId must be of type string, not bytes"),
        ({"total": "twelve"}, "context.total must be of type number, not string"),
        ({"total": True}, "context.total must be of type number, not boolean"),
        ({"gift": 1}, "context.gift must be of type boolean, not number"),
        ({"items": "a,b"}, "context.items must be of type array, not string"),
        ({"items": [float("inf")]}, "context.items holds what JSON can't say"),
        *(({"size": value}, 'context.size must be one of "S", "M", "1"') for value in ("s", "M ", "", 1, True)),
        *(({"stars": value}, "context.stars must be one of 1, 2.5") for value in (3, "1", "2.5")),
        ({"size": ["S"]}, "context.size must be of type string, not array"),
        ({"stars": True}, "context.stars must be of type number, not boolean"),
        ({"orderId": "\ud800"}, "the recipient can't be written as JSON"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_by_path(context: dict[str, Any], problem: str) -> None:
    assert problems(recipient(**context)) == [problem]


@pytest.mark.parametrize(
    "context",
    [
        *({"orderId": value} for value in ("", "A", 1, 1.5, True)),
        *({"total": value} for value in (1, 1.5, "1.5", "-2")),
        *({"gift": value} for value in (True, False, "true", "False")),
        *({"items": value} for value in ([], (1, 2), [{"a": [None]}])),
        *({"size": value} for value in ("S", "M", "1", None)),
        *({"stars": value} for value in (1, 1.0, 2.5)),
        {"carrier": None},
    ],
)
def test_scalars_may_be_spelt_as_adobe_would_read_them(context: dict[str, Any]) -> None:
    assert problems(recipient(**context)) == []


def test_a_push_payload_has_5_kb_at_most() -> None:
    live = Definition(**FACTS, context={"requestPayload.aps": Variable(type="object")})
    push = Definition(**FACTS, channel_data={"pushInfo.token": Variable()}, context={"text": Variable()})
    small, large = "x" * 5000, "x" * 5120
    told = ["context is larger than 5 kB as JSON, the most that a push payload has"]
    for text, expected in ((small, []), (large, told)):
        aps = Recipient(user_id="a", context={"requestPayload": {"aps": {"alert": text}}})
        assert check_recipients(live, [aps]) == expected
        token = Recipient(user_id="a", channel_data={"pushInfo": {"token": "t"}}, context={"text": text})
        assert check_recipients(push, [token]) == expected
    mail = Definition(**FACTS, channel_data={"emailAddress": Variable()}, context={"text": Variable()})
    assert check_recipients(mail, [recipient(text=large)])[0].startswith("context.orderId is unknown")


@pytest.mark.parametrize("count", [0, 21])
def test_a_trigger_has_1_to_20_recipients(count: int) -> None:
    assert (
        problems(*(recipient(str(index)) for index in range(count)))[0] == f"{count} recipients; a trigger has 1 to 20"
    )


def test_two_cases_of_a_domain_are_one_recipient_and_of_a_mailbox_or_of_another_id_two() -> None:
    mail, free = (Definition(**FACTS | {"namespace": namespace}) for namespace in ("Email", "crm"))
    one, same, other = (Recipient(user_id=name) for name in ("ada@example.com", "ada@Example.COM", "Ada@example.com"))
    assert check_recipients(mail, [one, same]) == ["recipients[1].user_id is the same as that of recipients[0]"]
    assert check_recipients(mail, [one, other]) == []
    assert check_recipients(free, [one, same]) == [], "to Experience Platform these are two"


def test_user_ids_are_unique_and_faults_name_the_recipient() -> None:
    assert problems(recipient("a"), recipient("b", total="x"), recipient("a")) == [
        "recipients[1].context.total must be of type number, not string",
        "recipients[2].user_id is the same as that of recipients[0]",
    ]


@pytest.mark.parametrize("user_id", ["x" * 513, 7, ["a"]])
def test_user_ids_are_text_of_a_length_that_travels(user_id: Any) -> None:
    found = problems(recipient(user_id), recipient("b"))
    assert found == ["recipients[0].user_id must be text of 1 to 512 characters"]


@pytest.mark.parametrize("address_check", ["shape", "strict", "off"])
@pytest.mark.parametrize("blank", ["", "  ", "\u00a0\t"])
def test_nobody_is_called_nothing_and_nothing_goes_to_a_blank_address(blank: str, address_check: Any) -> None:
    push = Definition(
        **FACTS, channel_data={"emailAddress": Variable(), "pushInfo.token": Variable()}, address_check=address_check
    )
    given_recipient = Recipient(user_id=blank, channel_data={"emailAddress": blank, "pushInfo": {"token": blank}})
    assert sorted(check_recipients(push, [as_sent(push, given_recipient)])) == [
        "channel_data.emailAddress is blank",
        "channel_data.pushInfo.token is blank",
        "user_id is blank",
    ]


ADDRESSED = {"emailAddress": Variable(required=False), "mobilePhoneNumber": Variable(required=False)}


@pytest.mark.parametrize(
    ("namespace", "user_id", "channel_data", "expected"),
    [
        ("crm", "NULL", {}, []),
        ("Email_LC_SHA256", "b4c9a289323b21a01c3e940f150eb9b8", {}, []),
        ("email", "ada@example.com", {}, []),
        (
            "Email",
            "customer-1",
            {},
            ["user_id is no e-mail address: it has no @ (as a user id of the"],
        ),
        ("phone", "+491701234567", {}, []),
        ("Phone", "ada@example.com", {}, ["user_id is an e-mail address: a phone number is wanted, + and digits (as"]),
        ("crm", "c-1", {"emailAddress": "ada"}, ["channel_data.emailAddress is no e-mail address: it has no @"]),
        ("crm", "c-1", {"emailAddress": 7}, ["channel_data.emailAddress must be text, in quotation marks"]),
        ("crm", "c-1", {"mobilePhoneNumber": "0170"}, ["channel_data.mobilePhoneNumber has no + and country code"]),
        ("crm", "c-1", {"mobilePhoneNumber": 491701234567}, ["channel_data.mobilePhoneNumber must be text"]),
        ("crm", "c-1", {"emailAddress": None}, []),
    ],
)
def test_the_rule_of_addresses_holds_for_channel_data_and_for_ids_that_are_addresses(
    namespace: str, user_id: str, channel_data: dict[str, Any], expected: list[str]
) -> None:
    given_recipient = Recipient(user_id=user_id, channel_data=channel_data)
    rules = {check: definition_of(namespace, check) for check in ("shape", "strict", "off")}
    for check in ("shape", "strict"):
        found = check_recipients(rules[check], [given_recipient])
        assert [one[: len(start)] for one, start in zip(found, expected, strict=True)] == expected
    assert check_recipients(rules["off"], [given_recipient]) == []


def definition_of(namespace: str, check: Any) -> Definition:
    return Definition(**FACTS | {"namespace": namespace}, channel_data=ADDRESSED, address_check=check)


def test_blanks_around_addresses_are_cut_and_other_ids_stay_as_they_are() -> None:
    padded = Recipient(user_id=" ada@example.com\n", channel_data={"emailAddress": "\u00a0ada@example.com "})
    sent = as_sent(definition_of("email", "shape"), padded)
    assert (sent.user_id, sent.channel_data) == ("ada@example.com", {"emailAddress": "ada@example.com"})
    assert padded.channel_data == {"emailAddress": "\u00a0ada@example.com "}
    sent = as_sent(definition_of("crm", "shape"), padded)
    assert (sent.user_id, sent.channel_data) == (padded.user_id, {"emailAddress": "ada@example.com"})
    assert as_sent(definition_of("email", "off"), padded) is padded


@pytest.mark.parametrize("area", ["channel_data", "profile", "context"])
def test_an_area_that_is_no_object_is_told(area: str) -> None:
    given_areas: dict[str, Any] = {"channel_data": {"emailAddress": "a@example.com"}, "context": CONTEXT, area: "x"}
    (problem,) = problems(Recipient(user_id="a", **given_areas))
    assert problem.startswith(f"{area} must be an object with ")


@pytest.mark.parametrize(("over", "found"), [(0, []), (1, ["context is larger than 200 kB as JSON"])])
def test_a_context_has_at_most_200_kb_as_json(over: int, found: list[str]) -> None:
    rest = len(json.dumps({**CONTEXT, "carrier": ""}, separators=(",", ":")))
    assert problems(recipient(carrier="x" * (MAX_CONTEXT_BYTES - rest + over))) == found


def test_a_long_profile_is_not_counted_as_context() -> None:
    assert problems(recipient(profile={"loyalty": {"tier": "x" * (MAX_CONTEXT_BYTES + 1)}})) == []


def test_values_that_contain_themselves_are_refused() -> None:
    ring: list[Any] = []
    ring.append(ring)
    assert problems(recipient(items=ring)) == ["the recipient can't be written as JSON"]


def test_defaults_fill_what_is_missing_or_null_and_nothing_else() -> None:
    filled = as_sent(DEFINITION, recipient(eta=None, lines={}))
    assert filled.context == {**CONTEXT, "eta": "soon", "lines": {"first": {"sku": 1}}}
    assert as_sent(DEFINITION, recipient(eta="now", lines={"first": {}})).context["eta"] == "now"


def test_filling_changes_neither_the_given_recipient_nor_the_definition() -> None:
    given_recipient = recipient(lines={})
    as_sent(DEFINITION, given_recipient).context["lines"]["first"]["sku"] = 2
    assert given_recipient == recipient(lines={})
    assert DEFINITION.context["lines.first"].default == {"sku": 1}


def test_a_complete_recipient_is_returned_itself() -> None:
    complete = recipient(eta="now", lines={"first": {}})
    assert as_sent(DEFINITION, complete) is complete


def test_a_definition_is_compiled_once() -> None:
    assert payload_check(DEFINITION) is payload_check(DEFINITION)


def test_definitions_that_are_equal_but_not_the_same_have_checks_of_their_own() -> None:
    strict = Definition(**FACTS, context={"a": Variable()})
    lax = Definition(**FACTS, context={"a": Variable(required=False)})
    assert check_recipients(strict, [Recipient(user_id="a")]) == ["context.a is missing"]
    assert check_recipients(lax, [Recipient(user_id="a")]) == []


START = datetime(2026, 11, 1, 8, tzinfo=UTC)
END = START + timedelta(days=1)


@pytest.mark.parametrize(
    ("moment", "problem"),
    [
        (START - timedelta(microseconds=1), "order-shipped starts at 2026-11-01T08:00:00+00:00"),
        (START, None),
        (END - timedelta(microseconds=1), None),
        (END, "order-shipped ended at 2026-11-02T08:00:00+00:00"),
    ],
)
def test_a_campaign_runs_from_its_start_until_its_end(moment: datetime, problem: str | None) -> None:
    assert window_problem(Definition(**FACTS, start=START, end=END), moment) == problem
    assert window_problem(Definition(**FACTS), moment) is None


KEYS = st.sampled_from(
    ["orderId", "customer", "firstName", "address", "city", "eta", "lines", "first", "total", "system", "a.b", ""]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("a\ud800", max_size=3) | st.binary(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
RECIPIENTS = st.builds(
    Recipient,
    user_id=st.sampled_from(["a", "b", ""]),
    channel_data=st.just({"emailAddress": "a"}),
    context=VALUES,
    profile=VALUES,
)
GOOD = st.builds(
    recipient,
    carrier=st.text(max_size=5) | st.integers(),
    total=st.floats(allow_nan=False, allow_infinity=False),
    items=st.lists(st.text(max_size=2)),
)


@given(st.lists(RECIPIENTS, max_size=3))
def test_no_payload_raises_and_defaults_bring_no_new_fault(recipients: list[Recipient]) -> None:
    found = problems(*recipients)
    filled = [as_sent(DEFINITION, one) for one in recipients]
    assert set(problems(*filled)) <= set(found)
    assert [as_sent(DEFINITION, one) for one in filled] == filled or "nan" in repr(filled)


@given(st.one_of(RECIPIENTS, GOOD))
def test_a_payload_without_faults_survives_the_wire_unchanged(one: Recipient) -> None:
    if problems(one) == []:
        sent = Trigger(request_id=uuid7(), campaign="order-shipped", recipients=(one,))
        assert json.loads(encode_trigger(decode_trigger(encode_trigger(sent)))) == json.loads(encode_trigger(sent))
        assert json.dumps(decode_trigger(encode_trigger(sent)).recipients[0].context) == json.dumps(one.context)


def test_a_misspelt_variable_inside_an_object_is_told_beside_the_missing_one() -> None:
    assert problems(recipient(customer={"firstname": "Ada", "address": {"city": "London"}})) == [
        "context.customer.firstName is missing",
        "context.customer.firstname is unknown; did you mean context.customer.firstName?",
    ]


def test_of_very_many_unknown_variables_some_are_named_and_the_others_counted() -> None:
    """Each is compared with all that there are, which held a worker up for minutes."""
    many = {f"customerfield{number}": 1 for number in range(20_000)}
    person = Recipient(user_id="person1", channel_data={"emailAddress": "ada@example.com"}, context=many)
    found = [problem for problem in problems(person) if "unknown" in problem]
    assert len(found) == MOST_UNKNOWN + 1
    assert found[-1] == f"context has {20_000 - MOST_UNKNOWN:,} more unknown variables"
    assert not payload_check(DEFINITION).fits([person])
