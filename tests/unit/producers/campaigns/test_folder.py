"""Reading definition files."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from ajo_producers.campaigns.definition import Variable
from ajo_producers.campaigns.folder import (
    DefinitionError,
    Definitions,
    UnknownCampaignError,
    foreign,
    load_definitions,
    parse_definition,
)
from ajo_producers.campaigns.rules import ALLOWED_HOSTS, is_allowed

PATH = Path("campaigns/order-shipped.toml")
TEXT = """\
campaign_id = "c-1"
lane = "standard"
endpoint = "https://platform.adobe.io/ajo/im/executions/unitary"
organization = "ABC@AdobeOrg"
sandbox = "prod"
namespace = "email"
recipient_type = "aep"
"""


def faults(text: str, path: Path = PATH) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(text, path)
    return list(caught.value.problems)


def test_a_file_is_read_with_its_name_variables_and_limits() -> None:
    text = TEXT + (
        "start = 2026-11-01T09:00:00+01:00\nrate_limit = 100\nbudget = 30.5\n"
        '[context]\n"customer.firstName" = { required = false }\neta = { default = "soon", one_of = ["soon", "now"] }\n'
    )
    definition = parse_definition(text, PATH)
    assert definition.name == "order-shipped"
    assert definition.start == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert (definition.rate_limit, definition.budget) == (100, 30.5)
    eta = Variable(default="soon", one_of=("soon", "now"))
    assert definition.context == {"customer.firstName": Variable(required=False), "eta": eta}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (TEXT.replace("campaign_id", "campaign_di"), ":1: campaign_di is unknown; did you mean campaign_id?"),
        (TEXT.replace('sandbox = "prod"\n', ""), ": sandbox is missing"),
        (TEXT.replace('"c-1"', "1"), ":1: campaign_id must be text, not a whole number"),
        (TEXT.replace('"c-1"', '"<CAMPAIGN>"'), ":1: campaign_id must be an id as Journey Optimizer shows it"),
        (TEXT.replace("standard", "quick"), ":2: lane is 'quick'; choose standard or high-throughput"),
        (TEXT.replace("standard", "high-throughput"), ":2: lane is high-throughput, but the endpoint belongs to"),
        (TEXT.replace("https", "http"), ":3: endpoint must be https://HOST/PATH"),
        (TEXT.replace("/unitary", "/unitary?x=1"), ":3: endpoint must be https://HOST/PATH"),
        (TEXT.replace("//platform", "//me:secret@platform"), ":3: endpoint must be https://HOST/PATH"),
        (TEXT.replace("platform.adobe.io", "[::"), ":3: endpoint must be https://HOST/PATH"),
        (TEXT + "rate_limit = 501", ":8: rate_limit is above the 500 calls a second"),
        (TEXT + "rate_limit = 0", ":8: rate_limit must be a number above 0"),
        (TEXT + "budget = 3601", ":8: budget must be a number of at most 3,600"),
        (TEXT + "start = 2026-11-01T08:00:00", ":8: start has no time zone"),
        (TEXT + "start = 2026-11-01", ":8: start must be a time, not a date"),
        (TEXT + "start = 2026-11-02T00:00:00Z\nend = 2026-11-01T00:00:00Z", ":9: end is not after start"),
        (TEXT + "context = 1", ":8: context must be a table of variables"),
        (TEXT + "[context]\norderId = { reqired = true }", ":9: context.orderId.reqired is unknown; did you mean"),
        (TEXT + "[context]\n\norderId = { type = 'text' }", ":10: context.orderId.type is 'text'; choose string or"),
        (TEXT + "[context]\norderId = 3", ":9: context.orderId must be an object, not a whole number"),
        (TEXT + "[context.orderId]\nrequired = 3", ":9: context.orderId.required must be true or false, not a whole"),
        (TEXT + "[context]\na.b = { type = 'string' }", ':9: context.a is a table of tables; put a dotted'),
        (TEXT + "[context]\n'system.x' = {}", ":9: context.system.x is reserved"),
        (TEXT + "[context]\n'a..b' = {}", ":9: context.a..b has an empty step"),
        (TEXT + "[context]\n'a.b' = {}\n'a' = {}", ":9: context.a.b lies inside context.a, which is a variable itself"),
        (TEXT + "[context]\nn = { type = 'number', default = 'x' }", ":9: context.n.default is not of type number"),
        (TEXT + "[context]\nn = { default = 2026-11-01 }", ":9: context.n.default is not of type string"),
        (TEXT + "[context]\nn = { one_of = [] }", ":9: context.n.one_of must be a list with at least 1"),
        (TEXT + "[context]\nn = { one_of = [true] }", ":9: context.n.one_of[0] must be a number or text, not true or"),
        (TEXT + "[context]\nn = { one_of = ['a', 1] }", ":9: context.n.one_of has what is no string; write each as"),
        (TEXT + "[context]\nn = { type = 'number', one_of = ['1'] }", ":9: context.n.one_of has what is no number"),
        (TEXT + "[context]\nn = { type = 'number', one_of = [nan] }", ":9: context.n.one_of has what is no number"),
        (TEXT + "[context]\nn = { one_of = ['a', 'a'] }", ":9: context.n.one_of has a value twice"),
        (TEXT + "[context]\nn = { type = 'array', one_of = ['a'] }", ":9: context.n.one_of is for variables of"),
        (TEXT + "[context]\nn = { one_of = ['a'], default = 'b' }", ':9: context.n.default is not one of "a"'),
        (TEXT + "[channel_data]\nemailAddress = { one_of = ['a@example.com'] }",
         ":9: channel_data.emailAddress.one_of has addresses: a definition holds nobody's data"),
        (TEXT.replace('"aep"', '"external"') + "merge_policy_name = 'p'", ":8: merge_policy_name belongs to"),
        ("x = ", ": not TOML: Invalid value (at end of document)"),
        ("x = " + "[" * 5000, ": not TOML: "),
    ],
)  # fmt: skip
def test_each_fault_is_told_with_file_line_and_field(text: str, fault: str) -> None:
    assert any(told.startswith(f"{PATH}{fault}") for told in faults(text))


def test_rules_of_the_high_throughput_lane() -> None:
    text = TEXT.replace("standard", "high-throughput").replace("unitary", "highthroughput")
    told = faults(text + "[profile]\nname = {}")
    assert [line.partition(": ")[2].partition(":")[0] for line in told] == [
        "recipient_type must be external",
        "profile must be empty",
    ]
    text = text.replace('"aep"', '"external"')
    for table, fault in (
        ("[channel_data]\nmobilePhoneNumber = {}", "channel_data.mobilePhoneNumber is for SMS, which never goes over"),
        ("[channel_data]\nmobilePhoneNumber = { required = false }", "channel_data.mobilePhoneNumber is for SMS"),
        ("[context]\n'requestPayload.aps' = { type = 'object' }", "context.requestPayload.aps is of a Live activity"),
    ):
        [told_fault] = faults(text + table)
        assert fault in told_fault
    both = "[channel_data]\nemailAddress = {}\nmobilePhoneNumber = { required = false }"
    assert "SMS" not in str(parse_definition(text + both, PATH))


@pytest.mark.parametrize("where", ["[channel_data]\n'pushInfo.token' = {}\n[context]", "[context]"])
def test_defaults_that_make_too_large_a_push_payload_are_told(where: str) -> None:
    path = "'requestPayload.aps'" if where == "[context]" else "body"
    for size, fits in ((4000, True), (5120, False)):
        default = f"{{ type = 'object', default = {{ alert = '{'x' * size}' }} }}"
        text = f"{TEXT}{where}\n{path} = {default}"
        if fits:
            parse_definition(text, PATH)
        else:
            assert "a push payload has 5,120 (5 kB) at most" in faults(text)[0]


def test_a_definition_that_leads_to_a_foreign_host_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / PATH.name
    path.write_text(TEXT.replace("platform.adobe.io", "adobe.example.com"), encoding="utf-8")
    definitions = load_definitions(tmp_path)
    assert foreign(tmp_path, definitions, ALLOWED_HOSTS) == [
        f"{path}:3: endpoint leads to a foreign host: 'adobe.example.com' is not allowed, only platform.adobe.io and "
        "*.adobe.io"
    ]
    assert foreign(tmp_path, definitions, ["adobe.example.com"]) == []


@pytest.mark.parametrize(
    ("endpoint", "hosts", "allowed"),
    [
        ("https://platform.adobe.io/ajo", ALLOWED_HOSTS, True),
        ("https://Platform-EU.adobe.io/ajo", ALLOWED_HOSTS, True),
        ("http://platform.adobe.io/ajo", ALLOWED_HOSTS, False),
        ("https://adobe.io/ajo", ALLOWED_HOSTS, False),
        ("https://platform.adobe.io.example.com/ajo", ALLOWED_HOSTS, False),
        ("https://evil-adobe.io/ajo", ALLOWED_HOSTS, False),
        ("https://gateway.example.com/ajo", ("*.example.com",), True),
        ("https://platform.adobe.io/ajo", ("*.example.com",), False),
        ("https:///ajo", ALLOWED_HOSTS, False),
    ],
)
def test_credentials_go_to_allowed_hosts_alone(endpoint: str, hosts: tuple[str, ...], allowed: bool) -> None:
    assert is_allowed(endpoint, hosts) == allowed


def test_all_faults_of_a_file_are_told_together() -> None:
    text = TEXT.replace("campaign_id", "x").replace("aep", "y") + "[context]\na = 1\nb = { type = 2 }"
    assert len(faults(text)) == 5


@pytest.mark.parametrize(
    "name", ["Order.toml", "a b.toml", "-a.toml", "a--b.toml", "ä.toml", "a" * 65 + ".toml", "..toml"]
)
def test_a_file_s_name_is_a_campaign_s_name(name: str) -> None:
    assert "the file's name must be lower-case words with hyphens" in faults(TEXT, Path(name))[0]


def test_an_unknown_campaign_is_told_with_the_nearest() -> None:
    definitions = Definitions({"order-shipped": parse_definition(TEXT, PATH)})
    with pytest.raises(UnknownCampaignError, match="'order-shiped'; did you mean order-shipped\\?"):
        definitions["order-shiped"]
    with pytest.raises(UnknownCampaignError, match="'x'; known: order-shipped"):
        definitions["x"]
    with pytest.raises(UnknownCampaignError, match="known: none"):
        Definitions()["x"]
