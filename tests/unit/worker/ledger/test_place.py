"""Where a database is, for people: never its user or password, however broken the address is."""

import pytest
from ajo_worker.ledger.database import place


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://ada:secret@db.example.com:5433/orders", "database 'orders' at db.example.com:5433"),
        ("postgresql://ada:sec@ret@db.example.com/orders", "database 'orders' at db.example.com:5432"),
        ("postgresql://ada:secret@a,b:6/orders", "database 'orders' at a:5432 or b:6"),
        ("postgresql:///orders?host=/run/postgresql", "database 'orders' at /run/postgresql"),
    ],
)
def test_a_readable_address_is_told_without_user_and_password(url: str, told: str) -> None:
    assert place(url) == told


@pytest.mark.parametrize("password", ["sec/ret", "sec?ret", "sec#ret", "sec[ret", "/secret", "#secret", "?secret"])
def test_of_a_password_that_breaks_the_address_nothing_is_told(password: str) -> None:
    told = place(f"postgresql://ada:{password}@db.example.com/orders")
    assert "sec" not in told
    assert "ret" not in told.replace("percent", "")
    assert "ada" not in told
