"""Addresses: of one that can't be read nothing is shown, and nothing is tried."""

import pytest
from ajo_worker.doctor.addresses import Address, address_of, read_address
from ajo_worker.doctor.check import Check
from ajo_worker.doctor.settings import Readable
from ajo_worker.settings import Settings
from hypothesis import given
from hypothesis import strategies as st

SECRET = "ZZZ"
BOTH = pytest.mark.parametrize("setting", ["broker_url", "database_url"])


@pytest.mark.parametrize(
    ("setting", "url", "shown"),
    [
        ("broker_url", "amqp://ada:ZZZ@broker.example.com//", "amqp://…@broker.example.com//"),
        ("broker_url", "rediss://:ZZZ@[::1]:6379/0", "rediss://…@[::1]:6379/0"),
        ("database_url", "postgresql:///ajo?host=/run/postgresql", "postgresql:///ajo?host=/run/postgresql"),
        ("database_url", "postgres://ada:ZZZ@db.example.com/ajo", "postgres://…@db.example.com/ajo"),
    ],
)
def test_an_address_is_used_as_it_is_and_shown_without_user_and_password(setting: str, url: str, shown: str) -> None:
    found = read_address(setting, url, "one")
    assert isinstance(found, Address)
    assert (found.url, found.shown) == (url, shown)
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("broker_url", ""),
        ("broker_url", "ZZZ"),
        ("broker_url", "amqp://ada:ZZZ"),
        ("broker_url", "amqp://ada:1/ZZZ@broker.example.com//"),
        ("broker_url", "amqp://ada:ZZZ@[broken"),
        ("broker_url", "http://ada:ZZZ@broker.example.com/"),
        ("broker_url", "postgresql://ada:ZZZ@db.example.com/ajo"),
        ("database_url", "postgresql://ada:1#ZZZ@db.example.com/ajo"),
        ("database_url", "postgresql+asyncpg://ada:ZZZ@db.example.com/ajo"),
        ("database_url", "amqp://ada:ZZZ@broker.example.com//"),
    ],
)
def test_what_is_no_address_fails_and_says_which_variable_and_how_to_write_it(setting: str, url: str) -> None:
    found = read_address(setting, url, "one")
    assert isinstance(found, Check)
    assert found.status == "failed"
    assert found.found == f"AJO_{setting.upper()} holds no address that can be read"
    assert "percent-encode" in str(found.advice)
    assert SECRET not in repr(found)


@BOTH
def test_an_address_whose_setting_is_wrong_is_skipped(setting: str) -> None:
    found = address_of(Readable(Settings(), frozenset({setting})), setting, "one")
    assert isinstance(found, Check)
    assert (found.status, found.found) == ("skipped", f"AJO_{setting.upper()} can't be read: see settings")


awkward = st.text(st.sampled_from("/?#@:[]%;,.\\ \n\tab1&-é"))


@given(
    st.sampled_from(["broker_url", "database_url"]),
    st.sampled_from(["amqp", "redis", "postgresql"]),
    awkward,
    awkward,
    st.sampled_from(["@broker.example.com:5672/", "@db/ajo", "@[::1]/0", "@"]),
)
def test_no_part_of_a_password_is_ever_shown(setting: str, scheme: str, one: str, two: str, rest: str) -> None:
    assert SECRET not in repr(read_address(setting, f"{scheme}://ada:{one}{SECRET}{two}{rest}", "one"))
