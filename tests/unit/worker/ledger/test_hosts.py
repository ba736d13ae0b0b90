"""The hosts of a database URL, one by one, as libpq reads them."""

import pytest
from ajo_worker.ledger.hosts import one_by_one

WRITES, ANY = "target_session_attrs=read-write", "target_session_attrs=any"


@pytest.mark.parametrize(
    ("url", "each"),
    [
        ("postgresql://u:p@a:1/db", ["postgresql://u:p@a:1/db"]),
        ("postgresql:///db?host=/run/pg", ["postgresql:///db?host=/run/pg"]),
        ("postgresql://u:p@a:1,b/db", [f"postgresql://u:p@a:1/db?{WRITES}", f"postgresql://u:p@b:5432/db?{WRITES}"]),
        ("postgresql://u:p@a,b/db?port=6", [f"postgresql://u:p@{one}:6/db?{WRITES}" for one in "ab"]),
        (
            "postgresql://u@/db?host=a,/run/pg&port=1,2&sslmode=require",
            [f"postgresql://u@a:1/db?sslmode=require&{WRITES}", f"postgresql://u@/db?sslmode=require&{WRITES}&host=%2Frun%2Fpg"],
        ),
        ("postgresql://[::1]:5,[::2]/db", [f"postgresql://[::1]:5/db?{WRITES}", f"postgresql://[::2]:5432/db?{WRITES}"]),
        (f"postgresql://a,b/db?{ANY}", [f"postgresql://a:5432/db?{ANY}", f"postgresql://b:5432/db?{ANY}"]),
        # What can't be read goes to whoever connects as it is, and no part of a password becomes a host.
        ("postgresql://a,b/db?port=1,2,3", ["postgresql://a,b/db?port=1,2,3"]),
        ("postgresql://u:se,cr/et@a/db", ["postgresql://u:se,cr/et@a/db"]),
        ("postgresql://u:se,cr#et@a/db", ["postgresql://u:se,cr#et@a/db"]),
        ("postgresql://u:se,cr?et@a/db", ["postgresql://u:se,cr?et@a/db"]),
    ],
)  # fmt: skip
def test_each_host_gets_a_url_and_of_several_one_that_takes_writes_is_asked_for(url: str, each: list[str]) -> None:
    assert one_by_one(url, {}) == each


def test_what_libpqs_variable_asks_for_holds() -> None:
    assert one_by_one("postgresql://a,b/db", {"PGTARGETSESSIONATTRS": "any"}) == [
        "postgresql://a:5432/db",
        "postgresql://b:5432/db",
    ]
