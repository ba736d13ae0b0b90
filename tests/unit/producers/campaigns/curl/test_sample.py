"""From a sample to a definition."""

import copy
import json
import re
import string
from contextlib import suppress
from typing import Any

import pytest
from ajo_producers.campaigns.curl.problem import SampleError
from ajo_producers.campaigns.curl.sample import name_from, read_sample
from ajo_producers.campaigns.definition import Definition, Variable
from ajo_producers.campaigns.rules import is_name
from hypothesis import given
from hypothesis import strategies as st

TOKEN = "eyJhbGciOi.invented.token"
API_KEY = "0f1e2d3c4b5a-invented"
ADDRESS = "grace@example.com"
BASE = "https://platform.adobe.io/ajo/im/executions"
HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Content-Type": "application/json",
    "x-api-key": API_KEY,
    "x-gw-ims-org-id": "ABC123@AdobeOrg",
    "x-sandbox-name": "prod",
}
BODY: dict[str, Any] = {
    "requestId": "r-1",
    "campaignId": "c-1",
    "recipients": [
        {
            "type": "aep",
            "userId": ADDRESS,
            "namespace": "email",
            "channelData": {"emailAddress": ADDRESS},
            "context": {
                "orderId": "<orderId>",
                "customer": {"firstName": "Grace"},
                "items": [{"sku": 1}],
                "total": 12.5,
                "gift": False,
                "note": None,
                "extra": {},
            },
        }
    ],
}
EXTERNAL = {"type": "external", "userId": ADDRESS, "namespace": "email"}


def sample(body: Any = BODY, *, url: str = f"{BASE}/unitary", method: str = "POST", **headers: str | None) -> str:
    lines = [f"curl -X {method} '{url}'"]
    for name, value in {**HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
        if value is not None:
            lines.append(f"-H '{name}: {value}'")
    text = body if isinstance(body, str) else json.dumps(body, indent=1)
    return " \\\n".join([*lines, f"-d '{text}'"])


def changed(**fields: Any) -> dict[str, Any]:
    """The body with other fields of its recipient."""
    body = copy.deepcopy(BODY)
    body["recipients"][0] |= fields
    return body


def faults(text: str) -> str:
    with pytest.raises(SampleError) as caught:
        read_sample(text)
    return str(caught.value)


@pytest.mark.parametrize("prompt", ["", "$ "])
def test_several_commands_in_one_file_are_told_as_that(prompt: str) -> None:
    one = sample()
    assert faults(f"{one}\n{prompt}{one}").startswith(f"line {one.count(chr(10)) + 2}: 2 curl commands: keep one")


def test_values_are_kept_of_those_variables_alone_that_are_named() -> None:
    people = [{**BODY["recipients"][0], "userId": user, "context": {"size": size, "stars": stars, "name": user}}
              for user, size, stars in (("ada", "S", 3), ("bob", "M", 5), ("eve", "S", 3))]  # fmt: skip
    imported = read_sample(sample(BODY | {"recipients": people}), one_of=["context.size", "context.stars"])
    assert imported.definition.context == {
        "name": Variable(),
        "size": Variable(one_of=("S", "M")),
        "stars": Variable(type="number", one_of=(3, 5)),
    }
    assert imported.dropped[-1] == ("the user ids and the values of 3 recipients, but for context.size, context.stars")


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("context.ordrId", "context.ordrId is no variable of the sample; did you mean context.orderId?"),
        ("orderId", "orderId is no variable of the sample"),
        ("context.orderId", "line 19: context.orderId shows no value"),
        ("context.note", "line 30: context.note shows no value"),
        ("context.gift", "line 29: context.gift shows no value"),
        ("context.items", "context.items shows no value"),
        ("channel_data.emailAddress", "channel_data.emailAddress.one_of has addresses"),
    ],
)
def test_what_shows_no_few_values_is_told(path: str, fault: str) -> None:
    with pytest.raises(SampleError, match=re.escape(fault)):
        read_sample(sample(), one_of=[path])


def test_a_sample_becomes_a_definition_with_each_variable_by_path_and_type() -> None:
    assert read_sample(sample(), "order-shipped").definition == Definition(
        name="order-shipped",
        campaign_id="c-1",
        lane="standard",
        endpoint=f"{BASE}/unitary",
        organization="ABC123@AdobeOrg",
        sandbox="prod",
        namespace="email",
        recipient_type="aep",
        channel_data={"emailAddress": Variable()},
        context={
            "customer.firstName": Variable(),
            "extra": Variable(type="object"),
            "gift": Variable(type="boolean"),
            "items": Variable(type="array"),
            "note": Variable(),
            "orderId": Variable(),
            "total": Variable(type="number"),
        },
    )


@pytest.mark.parametrize(
    ("path", "lane"),
    [
        ("unitary", "standard"),
        ("unitary/", "standard"),
        ("highthroughput", "high-throughput"),
        ("unitary/highthroughput", "high-throughput"),
    ],
)
def test_the_url_tells_the_lane_and_is_kept_as_the_endpoint(path: str, lane: str) -> None:
    definition = read_sample(sample(changed(type="external"), url=f"{BASE}/{path}")).definition
    assert (definition.lane, definition.endpoint) == (lane, f"{BASE}/{path.rstrip('/')}")


def test_other_hosts_of_adobe_are_allowed() -> None:
    url = "https://Platform-EMEA.adobe.io/ajo/im/executions/unitary"
    assert read_sample(sample(url=url)).definition.endpoint == url.lower()


def test_secrets_and_peoples_data_are_dropped_and_the_import_says_so() -> None:
    imported = read_sample(sample(Cookie="session=1", X_Trace="1"))
    assert imported.dropped == [
        "the bearer token (header Authorization)",
        "the API key (header x-api-key)",
        "the cookies (header Cookie)",
        "the header x-trace, which ajo-dispatch doesn't send",
        "the request id",
        "the user id and the values of 1 recipient",
    ]
    for secret in (TOKEN, API_KEY, ADDRESS, "Grace"):
        assert secret not in repr(imported)


def test_variables_of_several_recipients_are_put_together() -> None:
    body = {
        **BODY,
        "recipients": [BODY["recipients"][0], {**EXTERNAL, "type": "aep", "context": {"total": "1", "b": 2}}],
    }
    context = read_sample(sample(body)).definition.context
    assert context["total"] == Variable(type="string")
    assert context["b"] == Variable(type="number")
    assert "orderId" in context


def test_the_merge_policy_is_kept() -> None:
    definition = read_sample(sample(changed(mergePolicyName="policy-1"))).definition
    assert definition.merge_policy_name == "policy-1"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (sample(method="GET"), "line 1: the method is GET; a campaign is executed with POST"),
        (
            sample(url=f"{BASE}/audience"),
            "line 1: campaigns to an audience (…/executions/audience) can't be imported yet",
        ),
        (sample({**BODY, "audience": {"id": "a"}}), "audience: campaigns to an audience can't be imported yet"),
        (sample(url=f"{BASE}/unknown"), "the URL's path executes no campaign"),
        (sample(url="http://platform.adobe.io/ajo/im/executions/unitary"), "must begin with https://"),
        (sample(url="https://example.com/ajo/im/executions/unitary"), "the host example.com is not Adobe's"),
        (sample(url="https://evil-adobe.io/ajo/im/executions/unitary"), "the host evil-adobe.io is not Adobe's"),
        (sample(url="https://platform.adobe.io.example.com/x"), "the host platform.adobe.io.example.com is not"),
        (sample(url=f"https://me:{TOKEN}@platform.adobe.io/ajo/im/executions/unitary"), "the URL holds credentials"),
        (sample(url=f"{BASE}/unitary?token={TOKEN}"), "has a query or fragment"),
        (sample(url="https://platform.adobe.io:444/ajo/im/executions/unitary"), "names a port"),
        (sample(url="https://platform.adobe.io:x/"), "the URL can't be read"),
        (sample(url="https://[/"), "the URL can't be read"),
        (sample(x_gw_ims_org_id=None), "the header x-gw-ims-org-id is missing"),
        (sample(x_sandbox_name=None), "the header x-sandbox-name is missing"),
        (sample(x_gw_ims_org_id="<IMS_ORG>"), "line 5: the header x-gw-ims-org-id holds a placeholder"),
        (sample(X_Sandbox_Name="dev"), "the header x-sandbox-name is given twice"),
        (sample(Content_Type="text/plain"), "content-type must be application/json"),
        (sample(f"hello {TOKEN}"), "line 7: the body is not JSON"),
        (sample([1]), "the body is not a JSON object"),
        (sample({**BODY, "campaignId": "{{campaign}}"}), "campaignId is missing, or holds a placeholder"),
        (sample({**BODY, "priority": 1}), "priority is not part of a campaign's execution"),
        (sample({**BODY, "recipients": []}), "recipients must be a list of 1 to 20, not 0"),
        (sample({**BODY, "recipients": [EXTERNAL] * 21}), "recipients must be a list of 1 to 20, not 21"),
        (sample({**BODY, "recipients": [1]}), "recipients[0] is not an object"),
        (sample(changed(type="people")), "recipients[0].type must be aep or external"),
        (sample(changed(type=None)), "recipients[0].type is missing"),
        (sample(changed(namespace=None)), "recipients[0].namespace is missing"),
        (sample(changed(namespace="<NAMESPACE>")), "recipients[0].namespace holds a placeholder"),
        (sample(changed(attachments=[])), "recipients[0].attachments can't be imported yet"),
        (sample(changed(contxt={})), "recipients[0].contxt is no field of a recipient"),
        (sample(changed(context=1)), "recipients[0].context is not an object"),
        (sample(changed(context={"system": {"a": 1}})), "line 19: recipients[0].context.system is reserved"),
        (sample(changed(context={"a.b": 1})), "recipients[0].context has a name that no variable can have"),
        (
            sample({**BODY, "recipients": [EXTERNAL, {**EXTERNAL, "namespace": "phone"}]}),
            "recipients[1].namespace differs from an earlier recipient's; a campaign has only one",
        ),
        (
            sample(changed(type="external", profile={"name": "x"}), url=f"{BASE}/highthroughput"),
            "recipients[0].profile has variables; a high-throughput campaign reads context only",
        ),
        (sample(url=f"{BASE}/highthroughput"), "recipients[0].type is aep; a high-throughput campaign takes external"),
        (
            sample(
                {**BODY, "recipients": [{**EXTERNAL, "context": {"a": 1}}, {**EXTERNAL, "context": {"a": {"b": 1}}}]}
            ),
            "context.a.b lies inside context.a",
        ),
        (sample(changed(type="external", mergePolicyName="p")), "merge_policy_name belongs to recipients of type aep"),
    ],
)
def test_what_can_t_be_imported_is_told_with_place_and_without_any_value(text: str, part: str) -> None:
    told = faults(text)
    assert part in told
    for secret in (TOKEN, API_KEY, ADDRESS, "Grace"):
        assert secret not in told


def test_all_faults_are_told_together() -> None:
    told = faults(sample(changed(type="people", namespace=None), method="GET", x_sandbox_name=None))
    assert len(told.splitlines()) == 4


@pytest.mark.parametrize(
    ("text", "name"),
    [("Order Shipped (v2)", "order-shipped-v2"), ("../../etc/passwd", "etc-passwd"), ("…", ""), ("A" * 99, "a" * 64)],
)
def test_names_are_made_from_file_names(text: str, name: str) -> None:
    assert name_from(text) == name


@given(st.text())
def test_a_made_name_is_a_name_or_empty(text: str) -> None:
    assert name_from(text) == "" or is_name(name_from(text))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(string.printable + "é\ud800"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*BODY, *EXTERNAL, "a", "a.b", ""]), inner)
    ),
    max_leaves=8,
)


@given(
    JSON
    | st.builds(lambda value: changed(context=value, channelData=value), JSON)
    | st.builds(lambda value: {**BODY, "recipients": value}, JSON)
)
def test_no_body_raises_anything_but_a_sample_error_or_gives_a_faulty_definition(body: Any) -> None:
    text = sample(json.dumps(body).replace("'", "\\u0027"))
    with suppress(SampleError):
        assert is_name(read_sample(text).definition.name)


@given(st.text(max_size=200))
def test_no_text_raises_anything_but_a_sample_error(text: str) -> None:
    for prefix in ("", "curl ", f"curl {BASE}/unitary -d "):
        with suppress(SampleError):
            read_sample(prefix + text)
