"""Addresses in texts: what a message repeats of what was given holds none."""

import pytest
from ajo_producers.contract.masking import has_address, without_addresses, without_repeated

ADDRESS = "ada@example.com"


@pytest.mark.parametrize(
    ("given", "text", "told"),
    [
        ([ADDRESS], f"No such command '{ADDRESS}'.", "No such command '(address)'."),
        ([f"--port={ADDRESS}"], f"'{ADDRESS}' is not a valid integer", "'(address)' is not a valid integer"),
        ([ADDRESS], f"{ADDRESS}: No such file or directory", "(address): No such file or directory"),
        ([ADDRESS], f"can't listen on {ADDRESS}:8080", "can't listen on (address):8080"),
        ([ADDRESS], f"read {ADDRESS}.", "read (address)."),
        (["ada.lovelace@example.com"], "ada.lovelace@ex… is no request id", "(address)… is no request id"),
        ([f"a {ADDRESS} b"], f"({ADDRESS})", "((address))"),
    ],
)
def test_an_address_that_was_given_is_not_repeated(given: list[str], text: str, told: str) -> None:
    assert without_repeated(text, given) == told


@pytest.mark.parametrize("given", [[], ["--since", "1h"], [ADDRESS]])
def test_what_only_looks_like_an_address_and_was_not_given_stays(given: list[str]) -> None:
    text = "expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or destination:standard@platform.adobe.io"
    assert without_repeated(text, given) == text


def test_whatever_looks_like_an_address_is_one_where_texts_are_others() -> None:
    assert without_addresses(f"550 <{ADDRESS}> unknown; ada%40example.com") == "550 <(address)> unknown; (address)"
    assert [has_address(text) for text in (ADDRESS, "order-shipped", "@", "a @ b")] == [True, False, False, False]
