"""What may be shown of a secret."""

import pytest
from ajo_worker.settings.redaction import HIDDEN, redacted
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("amqp://ada:hunter2@broker.example.com:5672//", "amqp://…@broker.example.com:5672//"),
        ("amqps://broker.example.com/orders", "amqps://broker.example.com/orders"),
        ("redis://:hunter2@[::1]:6379/0", "redis://…@[::1]:6379/0"),
        ("redis://hunter2@127.0.0.1/0", "redis://…@127.0.0.1/0"),
        ("AMQP://ada:hunter2@h/", "amqp://…@h/"),
        ("postgresql://ada:p%40ss@a:5432,b:5433/ajo", "postgresql://…@a:5432,b:5433/ajo"),
        ("postgresql:///ajo?host=/run/postgresql", "postgresql:///ajo?host=/run/postgresql"),
        ("postgresql://db/ajo?user=ada&port=5433&password=hunter2", "postgresql://db/ajo?…&port=5433"),
    ],
)
def test_an_address_shows_where_it_leads_to_and_not_who_goes_there(secret: str, shown: str) -> None:
    assert redacted(secret) == shown


@pytest.mark.parametrize(
    "secret",
    [
        "hunter2",
        "ada:hunter2@broker.example.com",
        "amqp:hunter2",
        "amqp://ada:hunter2",
        "amqp://ada:hun/ter2@broker.example.com//",
        "amqp://ada:12/hunter2@broker.example.com//",
        "amqp://ada:12?host=hunter2@broker.example.com//",
        "amqp://ada:hun?ter2@broker.example.com//",
        "amqp://ada:hun#ter2@broker.example.com//",
        "amqp://broker.example.com//#hunter2",
        "amqp://ada:hun ter2",
        "amqp://ada:hunter2@h1;amqp://ada:hunter2@h2",
        "amqp://ada:hunter2@[broken",
        "amqp://ada:hunter\u2100@broker.example.com/",
        "amqp://",
        "ftp://ada:hunter2@broker.example.com/",
        "amqp://broker.example.com/\nhunter2",
    ],
)
def test_what_is_no_plain_address_is_hidden_as_a_whole(secret: str) -> None:
    assert redacted(secret) == HIDDEN


def test_a_secret_that_is_not_set_is_told_apart() -> None:
    assert redacted("") is None


@given(st.text(min_size=1), st.text(min_size=1))
def test_the_length_of_a_secret_is_not_shown(one: str, other: str) -> None:
    assert redacted(f"s{one}") == redacted(f"s{other}") == HIDDEN


MARK = "ZZZ"
awkward = st.text(st.sampled_from("/?#@:[]%;,.\\ \n\tab1=&-℀é"))


@given(
    st.sampled_from(["amqp", "redis", "postgresql"]),
    awkward,
    awkward,
    st.sampled_from(["@broker.example.com:5672/", "@db/ajo?host=x", "@[::1]/0", "@"]),
)
def test_no_character_of_a_password_is_ever_shown_encoded_or_not(scheme: str, one: str, two: str, rest: str) -> None:
    assert MARK not in (redacted(f"{scheme}://ada:{one}{MARK}{two}{rest}") or "")
