"""What is sealed opens with its key alone, and comes out as it was or not at all."""

import re
from base64 import b64encode

import pytest
from ajo_producers.contract.sealing import BrokenSeal, Sealer, UnknownKey, WrongKeys, key_id_of, new_key
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples

KEYS = [new_key() for _ in range(4)]
ADDRESS = b"ada@example.com"
PAYLOAD = b'{"to":"' + ADDRESS + b'"}'

payloads = st.binary(max_size=5_000)
fuzz = settings(max_examples=examples(200))


def sealer(*keys: str) -> Sealer:
    return Sealer.from_keys(",".join(keys))


@fuzz
@given(payloads)
def test_what_is_sealed_opens_to_the_same_bytes(payload: bytes) -> None:
    own = sealer(*KEYS)
    key_id, sealed = own.seal(payload)
    assert key_id == own.newest == key_id_of(KEYS[0])
    assert own.open(key_id, sealed) == payload


@fuzz
@given(payloads.filter(lambda payload: len(payload) > 4))
def test_no_payload_is_inside_its_seal_and_no_two_seals_are_alike(payload: bytes) -> None:
    first, second = (sealer(KEYS[0]).seal(payload)[1] for _ in range(2))
    assert payload not in first
    assert first != second


@given(payloads)
def test_without_keys_payloads_stay_as_they_are(payload: bytes) -> None:
    assert Sealer.from_keys("").seal(payload) == (None, payload)
    assert sealer(KEYS[0]).open(None, payload) == payload


@fuzz
@given(st.data(), st.permutations(KEYS))
def test_the_first_key_seals_and_each_of_them_opens(data: st.DataObject, keys: list[str]) -> None:
    one = data.draw(st.sampled_from(keys))
    key_id, sealed = sealer(one).seal(PAYLOAD)
    own = sealer(*keys)
    assert own.newest == key_id_of(keys[0])
    assert own.key_ids == tuple(map(key_id_of, keys))
    assert own.open(key_id, sealed) == PAYLOAD
    resealed = own.reseal(key_id, sealed)
    if one == keys[0]:
        assert resealed is None
    else:
        assert resealed is not None
        assert resealed[0] == own.newest
        assert sealer(keys[0]).open(*resealed) == PAYLOAD


def test_a_plain_payload_is_resealed_under_the_newest_key_and_stays_plain_without_one() -> None:
    resealed = sealer(*KEYS).reseal(None, PAYLOAD)
    assert resealed is not None
    assert sealer(KEYS[0]).open(*resealed) == PAYLOAD
    assert Sealer.from_keys("").reseal(None, PAYLOAD) is None


@pytest.mark.parametrize("own", [sealer(KEYS[1], KEYS[2]), Sealer.from_keys("")], ids=["other keys", "no key"])
def test_a_seal_of_another_key_is_told_by_its_id_and_the_setting_to_extend(own: Sealer) -> None:
    key_id, sealed = sealer(KEYS[0]).seal(PAYLOAD)
    for attempt in (own.open, own.reseal):
        with pytest.raises(UnknownKey) as raised:
            attempt(key_id, sealed)
        assert raised.value.key_id == key_id
        assert str(raised.value) == (
            f"sealed under key {key_id}, which AJO_PAYLOAD_KEYS does not have: add that key to it"
        )


@fuzz
@given(st.data(), payloads)
def test_changed_bytes_never_open(data: st.DataObject, payload: bytes) -> None:
    key_id, sealed = sealer(KEYS[0]).seal(payload)
    place = data.draw(st.integers(0, len(sealed) - 1))
    flipped = sealed[:place] + bytes([sealed[place] ^ data.draw(st.integers(1, 255))]) + sealed[place + 1 :]
    more, less = sealed + data.draw(st.binary(min_size=1, max_size=9)), sealed[:place]
    for broken in (flipped, more, less, sealed[1:], payload):
        with pytest.raises(BrokenSeal):
            sealer(KEYS[0]).open(key_id, broken)


def test_a_key_id_that_was_exchanged_breaks_the_seal_and_its_message_shows_no_payload() -> None:
    _, sealed = sealer(KEYS[0]).seal(PAYLOAD)
    with pytest.raises(BrokenSeal) as raised:
        sealer(*KEYS).open(key_id_of(KEYS[1]), sealed)
    assert key_id_of(KEYS[1]) in str(raised.value)
    assert "example" not in str(raised.value)


def test_a_key_id_is_short_and_the_same_everywhere() -> None:
    zeros = b64encode(bytes(32)).decode()
    assert key_id_of(zeros) == "66687aadf862"  # printf of 32 zero bytes | sha256sum
    assert all(re.fullmatch("[0-9a-f]{12}", key_id_of(key)) for key in KEYS)


@pytest.mark.parametrize("between", [",", ", ", "\n", "\r\n", " ", ",\n", "\n\n"])
def test_keys_stand_between_commas_or_on_lines(between: str) -> None:
    assert Sealer.from_keys(f" {between.join(KEYS)}{between}").key_ids == tuple(map(key_id_of, KEYS))


def test_keys_of_both_base64_alphabets_are_taken_as_the_same() -> None:
    key = b64encode(b"\xff\xfb" * 16).decode()
    assert "+" in key
    assert "/" in key
    url_safe = key.replace("+", "-").replace("/", "_")
    assert sealer(url_safe).open(*sealer(key).seal(PAYLOAD)) == PAYLOAD


WRONG = {
    "a word": "hunter2",
    "one too few": KEYS[1][1:],
    "one too many": f"A{KEYS[1]}",
    "without its end": KEYS[1][:-1],
    "31 bytes": b64encode(bytes(31)).decode(),
    "another letter": "ä" + KEYS[1][1:],
    "not ASCII digits": "٣" + KEYS[1][1:],
    "two in one": KEYS[1] + KEYS[2],
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_key_is_told_by_its_place_and_never_shown(wrong: str) -> None:
    with pytest.raises(WrongKeys) as raised:
        sealer(KEYS[0], wrong, KEYS[3])
    assert str(raised.value) == "key 2 of 3 is no Fernet key: 'ajo-dispatch keys new' makes one"
    assert raised.value.__cause__ is raised.value.__context__ is None


def test_a_key_that_is_there_twice_is_a_mistake() -> None:
    with pytest.raises(WrongKeys, match=r"^key 3 of 3 is the same as key 1$"):
        sealer(KEYS[0], KEYS[1], KEYS[0])


@fuzz
@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_around_a_wrong_key_makes_the_fault_show_it(before: str, after: str) -> None:
    with pytest.raises(WrongKeys) as raised:
        Sealer.from_keys(f"{before}hunter2-very-secret{after}")
    assert "hunter2" not in str(raised.value)


def test_no_key_is_in_the_text_of_a_sealer() -> None:
    own = sealer(*KEYS)
    assert not any(key in f"{own!r}{own}" for key in KEYS)
