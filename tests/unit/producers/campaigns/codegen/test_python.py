"""Typed Python of definitions: it makes the same triggers, and a type checker finds what is missing."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from ajo_producers import Campaigns
from ajo_producers.campaigns.codegen.python import python_source
from ajo_producers.campaigns.definition import Definition, Variable
from ajo_producers.campaigns.folder import Definitions
from mypy import api

from tests.support.definitions import ORDER_SHIPPED

FACTS = {
    "campaign_id": "b27f4a18", "lane": "standard", "organization": "0@AdobeOrg", "sandbox": "prod",
    "endpoint": "https://platform.adobe.io/ajo/im/executions/unitary", "namespace": "email", "recipient_type": "aep",
}  # fmt: skip
EMAIL = {"emailAddress": Variable()}
ODD = Definition(
    **FACTS,
    name="2-for-1",
    channel_data=EMAIL | {"mobilePhoneNumber": Variable(required=False)},
    profile={"person.name": Variable(), "tags": Variable(type="array", required=False)},
    context={
        "class": Variable(), 'a "b"': Variable(type="number"), "x-y.__z": Variable(type="object", required=False),
        "ünï.\\n": Variable(type="boolean"),
    },
)  # fmt: skip
PUSH = Definition(
    **FACTS | {"namespace": "crm"},
    name="load",
    channel_data={"pushInfo.token": Variable(), "pushInfo.platform": Variable(default="apns")},
)
TWIN = Definition(**FACTS, name="load-for", channel_data=EMAIL)
LONG = tuple(f"a value of some length, no. {number}" for number in range(5))
FEW = Definition(
    **FACTS,
    name="sized",
    channel_data=EMAIL,
    context={
        "size": Variable(one_of=("S", 'M "medium"', "Any")), "stars": Variable(type="number", one_of=(1, 2)),
        "weight": Variable(type="number", required=False, one_of=(1, 2.5)),
        "a.long": Variable(default=LONG[0], one_of=LONG),
    },
)  # fmt: skip
KEYWORD = Definition(**FACTS, name="import", channel_data=EMAIL, context={"eta": Variable(required=False)})
ALL = Definitions({one.name: one for one in (ORDER_SHIPPED, ODD, PUSH, TWIN, FEW, KEYWORD)})
TO = "ada@example.com"
MANY_WAYS = {"class": "A", 'a "b"': 1, "x-y": {"__z": {"k": [1]}}, "ünï": {"\\n": True}}

USE = """
from datetime import timedelta
from typed import SizedContextALong, SizedContextSize, TypedCampaigns

campaigns = TypedCampaigns.load()
to = "ada@example.com"
campaigns.order_shipped(to=to, context={"orderId": "A-1"}, expires_in=timedelta(hours=1), key="A-1")
campaigns.order_shipped(to=to, context={"orderId": 7, "carrier": "Up"}, expires_in=60)
campaigns.order_shipped_for(recipients=[{"to": to, "context": {"orderId": "A-1"}}])
campaigns.campaign_2_for_1(
    to=to, profile={"person": {"name": "Ada"}},
    context={"class": "A", 'a "b"': 1, "x-y": {"__z": {"k": [1]}}, "ünï": {"\\\\n": True}},
)
campaigns.load2(user_id="u1", channel_data={"pushInfo": {"token": "t"}})
campaigns.campaign_import(to=to)
size: SizedContextSize = "S"
long: SizedContextALong = "a value of some length, no. 3"
campaigns.sized(to=to, context={"size": size, "stars": 2, "weight": 2.5, "a": {"long": long}})
campaigns.sized(to=to, context={"size": 'M "medium"', "stars": 1})
campaigns.sized(to=to, context={"size": "L", "stars": 1})  # TypedDict item "size" has type "Literal['S'
campaigns.sized(to=to, context={"size": "S", "stars": 3})  # TypedDict item "stars" has type "Literal[1, 2]"
campaigns.sized(to=to, context={"size": "S", "stars": 1, "a": {"long": "short"}})  # TypedDict item "long" has
campaigns.order_shipped(to=to, context={"carrier": "Up"})  # Missing key "orderId"
campaigns.order_shipped(to=to, context={"orderId": "A-1", "orderID": "A-1"})  # Extra key "orderID"
campaigns.order_shipped(to=to)  # Missing named argument "context"
campaigns.order_shipped(context={"orderId": "A-1"})  # Missing named argument "to"
campaigns.order_shipped_for(recipients=[{"to": to}])  # Missing key "context"
campaigns.campaign_2_for_1(to=to, profile={"person": {}}, context=None)  # Missing key "name"
campaigns.load2(user_id="u1", channel_data={"pushInfo": {"token": 1.5, "platform": []}})  # Incompatible types
campaigns.order_shiped(to=to)  # has no attribute "order_shiped"
"""


@pytest.fixture
def typed(tmp_path: Path) -> ModuleType:
    """The generated module, imported."""
    path = tmp_path / "typed.py"
    path.write_text(python_source(ALL.values()), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("typed", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_mypy_takes_what_is_right_and_finds_what_is_missing_unknown_or_of_another_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "typed.py").write_text(python_source(ALL.values()), encoding="utf-8")
    (tmp_path / "use.py").write_text(USE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    out, err, _ = api.run(
        ["--strict", "--config-file=", "--no-error-summary", "--cache-dir=.cache", "use.py", "typed.py"]
    )
    assert err == ""
    found: dict[int, str] = {}
    for line in (line for line in out.splitlines() if ": note: " not in line):
        match = re.fullmatch(r"use\.py:(\d+): error: (.*)", line)
        assert match, f"the generated module itself is clean: {line}"
        found[int(match[1])] = found.get(int(match[1]), "") + match[2]
    expected = {number: line.partition("  # ")[2] for number, line in enumerate(USE.splitlines(), 1) if "  # " in line}
    assert found.keys() == expected.keys(), out
    assert [(number, text) for number, text in expected.items() if text not in found[number]] == []


def test_each_method_makes_the_trigger_that_the_campaign_makes(typed: ModuleType) -> None:
    campaigns = Campaigns(ALL)
    made = typed.TypedCampaigns(campaigns)
    profile = {"person": {"name": "Ada"}}
    pairs = [
        (
            made.campaign_2_for_1(to=TO, profile=profile, context=MANY_WAYS, key="1"),
            campaigns["2-for-1"].trigger(to=TO, profile=profile, context=MANY_WAYS, key="1"),
        ),
        (
            made.load2(user_id="u1", channel_data={"pushInfo": {"token": "t"}}, key="1"),
            campaigns["load"].trigger(user_id="u1", channel_data={"pushInfo": {"token": "t"}}, key="1"),
        ),
        (made.load_for(to=TO, key="1"), campaigns["load-for"].trigger(to=TO, key="1")),
        (
            made.order_shipped_for(recipients=[{"to": TO, "context": {"orderId": "A"}}], key="1"),
            campaigns["order-shipped"].trigger(to=TO, context={"orderId": "A"}, key="1"),
        ),
    ]
    assert [ours.trigger for ours, _ in pairs] == [theirs.trigger for _, theirs in pairs]


def test_no_two_methods_and_no_two_types_have_one_name(typed: ModuleType) -> None:
    methods = [name for name in vars(typed.TypedCampaigns) if not name.startswith("_")]
    source = python_source(ALL.values())
    assert sorted(methods) == sorted(re.findall(r"^    def ([a-z]\w*)\(", source, re.MULTILINE))
    types = re.findall(r"^class (\w+)\(|^(\w+) = TypedDict", source, re.MULTILINE)
    assert len(types) == len(set(types))


def test_it_is_the_same_whatever_the_order_and_stands_in_the_usual_format(tmp_path: Path) -> None:
    source = python_source([ORDER_SHIPPED, TWIN, FEW])
    assert source == python_source([FEW, TWIN, ORDER_SHIPPED])
    path = tmp_path / "typed.py"
    path.write_text(source, encoding="utf-8")
    for arguments in (["format", "--check"], ["check", "--select", "E,F,I,UP,W", "--line-length", "120"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--isolated", "--target-version", "py311", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    assert "TypedDict" not in python_source([])
