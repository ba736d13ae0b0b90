"""No address is kept that a mail server quotes in its reason."""

import pytest
from ajo_producers.contract.masking import without_addresses
from ajo_worker.feedback.values import LONGEST_PATH, MOST_KEPT, leaves_of, masked
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


@pytest.mark.parametrize("length", range(475, 515))
def test_an_address_at_the_end_of_what_is_kept_is_not_kept_in_part(length: int) -> None:
    assert "ada" not in masked("x " * (length // 2) + "ada.lovelace@example.com")
    assert "ada" not in masked(f"{'b' * 199}@c.example " * 9 + "x" * (length % 40) + " ada.lovelace@example.com")
    assert len(masked("x " * 1000)) == MOST_KEPT


@pytest.mark.parametrize("length", [200, 201, 5_000])
def test_nothing_of_an_address_is_kept_however_long_it_is(length: int) -> None:
    assert without_addresses(f"to {'a' * length}@example.com, and") == "to (address), and"


def test_a_path_that_is_too_long_for_any_field_is_left_out() -> None:
    whole = "k" * LONGEST_PATH
    assert leaves_of({whole: 1, whole + "k": 2, "k": {whole: [3] * 9}}) == {whole: 1}


def test_ids_keep_their_digits() -> None:
    assert without_addresses("HUMA-26362805") == "HUMA-26362805"


def test_a_long_text_without_an_address_is_read_in_no_time() -> None:
    """An expression that backtracks would take minutes for these."""
    assert len(masked("a" * 1_000_000)) == MOST_KEPT
    assert len(masked("1 " * 500_000)) <= MOST_KEPT
    assert without_addresses("%4" * 100_000)
    assert without_addresses("a" * 5_000_000)
    assert without_addresses("a@" * 1_000_000)
