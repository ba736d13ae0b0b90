"""Addresses: of one that can't be read nothing is shown, and nothing is tried."""

import pytest
from ajo_worker.doctor.check import Check
from ajo_worker.doctor.database_address import DatabaseAddress, address_of, read_address
from ajo_worker.doctor.settings import Readable
from ajo_worker.settings import Settings
from hypothesis import given
from hypothesis import strategies as st

SECRET = "ZZZ"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql:///ajo?host=/run/postgresql", "postgresql:///ajo?host=/run/postgresql"),
        ("postgres://ada:ZZZ@db.example.com/ajo", "postgres://…@db.example.com/ajo"),
    ],
)
def test_an_address_is_used_as_it_is_and_shown_without_user_and_password(url: str, shown: str) -> None:
    found = read_address(url, "one")
    assert isinstance(found, DatabaseAddress)
    assert (found.url, found.shown) == (url, shown)
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        ("postgresql://ada:1#ZZZ@db.example.com/ajo"),
        ("postgresql+asyncpg://ada:ZZZ@db.example.com/ajo"),
        ("amqp://ada:ZZZ@broker.example.com//"),
    ],
)
def test_what_is_no_address_fails_and_says_which_variable_and_how_to_write_it(url: str) -> None:
    found = read_address(url, "one")
    assert isinstance(found, Check)
    assert found.status == "failed"
    assert found.found == "AJO_DATABASE_URL holds no address that can be read"
    assert "percent-encode" in str(found.advice)
    assert SECRET not in repr(found)


def test_an_address_whose_setting_is_wrong_is_skipped() -> None:
    found = address_of(Readable(Settings(), frozenset({"database_url"})), "one")
    assert isinstance(found, Check)
    assert (found.status, found.found) == ("skipped", "AJO_DATABASE_URL can't be read: see settings")


awkward = st.text(st.sampled_from("/?#@:[]%;,.\\ \n\tab1&-é"))


@given(
    st.sampled_from(["amqp", "redis", "postgresql"]),
    awkward,
    awkward,
    st.sampled_from(["@broker.example.com:5672/", "@db/ajo", "@[::1]/0", "@"]),
)
def test_no_part_of_a_password_is_ever_shown(scheme: str, one: str, two: str, rest: str) -> None:
    assert SECRET not in repr(read_address(f"{scheme}://ada:{one}{SECRET}{two}{rest}", "one"))
