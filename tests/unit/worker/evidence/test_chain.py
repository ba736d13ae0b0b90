"""The chain: whatever is changed, left out, put in between or swapped is found at its place."""

from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest
from ajo_worker.evidence.chain import (
    FIRST,
    Broken,
    Link,
    NoKey,
    Seal,
    WrongKey,
    chained,
    check,
    facts_of,
    goes_on,
    key_id_of,
)
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

KEY, OTHER = b"key", b"another key"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def seal(number: int = 0, key: bytes = KEY) -> Seal:
    return Seal(
        sealed_at=NOON + timedelta(seconds=number),
        covers_until=NOON,
        revisions=0,
        rows=number,
        day=date(2026, 11, 20),
        relation="triggers",
        from_id=UUID(int=number),
        to_id=UUID(int=number + 1),
        key_id=key_id_of(key),
        cause="closed",
        open_triggers=[],
        digest=bytes(32),
    )


def chain_of(seals: list[Seal], key: bytes = KEY) -> list[Link]:
    links, previous = [], FIRST
    for number, one in enumerate(seals, start=1):
        chain = chained(previous, one, key if one.key_id else b"")
        links.append(Link(number, one, previous, chain))
        previous = chain
    return links


@pytest.mark.parametrize("key", [KEY, b""])
def test_a_chain_as_it_was_made_holds(key: bytes) -> None:
    assert check(chain_of([seal(number, key) for number in range(5)], key), key) is None
    assert check([], key) is None


@given(
    place=st.integers(0, 4),
    change=st.sampled_from(
        [
            {"rows": 99},
            {"cause": "operation 1"},
            {"digest": b"x" * 32},
            {"day": date(2026, 11, 21)},
            {"relation": "attempts"},
            {"revisions": 1},
            {"from_id": None},
            {"to_id": UUID(int=99)},
            {"open_triggers": [UUID(int=1)]},
            {"sealed_at": NOON - timedelta(days=1)},
            {"covers_until": NOON - timedelta(microseconds=1)},
        ]
    ),
)
def test_whatever_is_changed_in_a_seal_is_found_there(place: int, change: dict[str, object]) -> None:
    links = chain_of([seal(number) for number in range(5)])
    links[place] = structs.replace(links[place], seal=structs.replace(links[place].seal, **change))
    broken = check(links, KEY)
    assert isinstance(broken, Broken)
    assert broken.digest_id == links[place].digest_id


@given(place=st.integers(0, 3))
def test_a_seal_that_is_left_out_is_missed_by_the_next(place: int) -> None:
    links = chain_of([seal(number) for number in range(5)])
    del links[place]
    for key in (KEY, b""):
        broken = check(links, key)
        assert isinstance(broken, Broken), "it takes no key to see that"
        assert broken.digest_id == place + 2


def test_seals_that_change_places_are_found() -> None:
    links = chain_of([seal(number) for number in range(5)])
    links[1], links[2] = links[2], links[1]
    assert check(links, KEY) is not None


def test_a_chain_made_with_another_key_or_none_does_not_pass_for_one_with_the_key() -> None:
    for key in (OTHER, b""):
        links = chain_of([seal(number, key) for number in range(3)], key)
        claimed = [structs.replace(link, seal=structs.replace(link.seal, key_id=key_id_of(KEY))) for link in links]
        assert check(claimed, KEY) is not None
    assert check(chain_of([seal(0), seal(1, b"")]), KEY) is not None  # no key after one that had it


def test_a_key_may_come_later_but_not_go() -> None:
    assert check(chain_of([seal(0, b""), seal(1)]), KEY) is None


def test_without_its_key_a_chain_is_said_neither_to_hold_nor_to_be_broken() -> None:
    assert check(chain_of([seal(0, b""), seal(1), seal(2)]), b"") == NoKey(2, str(key_id_of(KEY)))


def test_a_chain_with_another_key_than_ours_is_broken_as_somebody_may_have_made_it_anew() -> None:
    broken = check(chain_of([seal()]), OTHER)
    assert isinstance(broken, Broken)
    assert f"AJO_EVIDENCE_KEY is {key_id_of(OTHER)}" in broken.why


@pytest.mark.parametrize(("newest", "key"), [(b"", b""), (b"", KEY), (KEY, KEY)])
def test_a_chain_goes_on_with_the_key_that_it_has_or_its_first_one(newest: bytes, key: bytes) -> None:
    goes_on(key_id_of(newest), key)


@pytest.mark.parametrize(("key", "what"), [(b"", "not set"), (OTHER, "another one")])
def test_a_chain_does_not_go_on_with_another_key_or_none(key: bytes, what: str) -> None:
    with pytest.raises(WrongKey, match=what):
        goes_on(key_id_of(KEY), key)


def test_the_facts_are_the_same_in_whatever_time_zone_a_connection_gives_them() -> None:
    moved = structs.replace(seal(), sealed_at=NOON.astimezone(timezone(timedelta(hours=5, minutes=45))))
    assert facts_of(moved) == facts_of(seal())


def test_the_facts_are_documented_to_the_byte() -> None:
    assert facts_of(seal(1, b"")).decode() == (
        '["2026-11-25T12:00:01.000000+00:00","2026-11-25T12:00:00.000000+00:00",0,1,"2026-11-20","triggers",'
        '"00000000-0000-0000-0000-000000000001","00000000-0000-0000-0000-000000000002",null,"closed",[],"'
        + "00" * 32
        + '"]'
    )


def test_a_key_id_tells_keys_apart_and_is_none_without_one() -> None:
    assert key_id_of(b"") is None
    assert key_id_of(KEY) != key_id_of(OTHER)
