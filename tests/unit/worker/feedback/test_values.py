"""No address is kept that a mail server quotes in its reason."""

import pytest
from ajo_worker.feedback.values import MOST_KEPT, masked, without_addresses
from hypothesis import given
from hypothesis import strategies as st

LOCAL = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789.!#$%&*+/?^_`|~-äöß", min_size=1, max_size=20)
TEXT = st.text("abc 05.<>:;,()-\n", max_size=600)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("550 5.1.1 <ada@example.com>: no such user", "550 5.1.1 <(address)>: no such user"),
        ("rcpt to=ada.b+c@mail.example.com refused", "rcpt to=(address) refused"),
        ("user ada%40example.com unknown", "user (address) unknown"),
        ("user ada@example.com,bob@example.com", "user (address),(address)"),
        ("unreachable: +49 151 23456789", "unreachable: (number)"),
        ("unreachable: (0151) 234-5678, retry", "unreachable: (number), retry"),
        ("tel:4915123456789 blocked", "tel:(number) blocked"),
        ("452 4.2.2 mailbox full (quota 100 MB)", "452 4.2.2 mailbox full (quota 100 MB)"),
        ("queue id 4F2A91B3C7 deferred", "queue id 4F2A91B3C7 deferred"),
        ("", ""),
    ],
)
def test_addresses_and_numbers_are_replaced_and_the_rest_stays(text: str, expected: str) -> None:
    assert masked(text) == expected


@given(before=TEXT, local=LOCAL, after=TEXT)
def test_an_address_is_found_wherever_it_stands(before: str, local: str, after: str) -> None:
    assert "@" not in masked(f"{before} {local}@example.com {after}")
    assert "example.com" not in masked(f"{before} {local}@example.com {after}")


@given(before=TEXT, digits=st.text("0123456789", min_size=7, max_size=15), plus=st.sampled_from(["", "+"]))
def test_a_number_is_found_wherever_it_stands(before: str, digits: str, plus: str) -> None:
    assert digits not in masked(f"{before} {plus}{digits} x")


@pytest.mark.parametrize("length", range(1975, 2015))
def test_an_address_at_the_end_of_what_is_read_is_not_kept_in_part(length: int) -> None:
    assert "ada" not in masked("x " * (length // 2) + "ada.lovelace@example.com")
    assert len(masked("x " * 1000)) == MOST_KEPT


def test_ids_keep_their_digits() -> None:
    assert without_addresses("HUMA-26362805") == "HUMA-26362805"


def test_a_long_text_without_an_address_is_read_in_no_time() -> None:
    """An expression that backtracks would take minutes for these."""
    assert len(masked("a" * 1_000_000)) == MOST_KEPT
    assert len(masked("1 " * 500_000)) <= MOST_KEPT
    assert without_addresses("%4" * 100_000)
