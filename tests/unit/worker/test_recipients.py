"""Digests of content: copies of one trigger are told apart, whatever else differs between them."""

from uuid import UUID

from ajo_producers.contract.content import content_of
from ajo_producers.contract.trigger import Recipient
from ajo_worker.recipients import HASH_BYTES, hashing_key, is_other_content, keyed_digest, recipient_hash

ONE, OTHER = UUID(int=1), UUID(int=2)
KEY = hashing_key("secret")
ANN = Recipient(user_id="ann@example.com", context={"a": "1", "b": {"c": 1}})
SAME = Recipient(user_id="ann@example.com", context={"b": {"c": 1}, "a": "1"})
BILL = Recipient(user_id="bill@example.com", context={"a": "1", "b": {"c": 1}})


def digest(*recipients: Recipient, request_id: UUID = ONE, key: bytes = KEY, campaign: str = "c") -> bytes:
    return keyed_digest(content_of(campaign, recipients), request_id, key)


def test_the_same_message_has_the_same_digest_in_whatever_order_it_is_written() -> None:
    assert digest(ANN) == digest(SAME)
    assert digest(ANN, BILL) == digest(BILL, SAME)
    assert len(digest(ANN)) == HASH_BYTES


def test_another_recipient_content_or_campaign_is_other_content() -> None:
    changed = Recipient(user_id="ann@example.com", context={"a": "2", "b": {"c": 1}})
    for other in (digest(BILL), digest(changed), digest(ANN, BILL), digest(ANN, campaign="d")):
        assert is_other_content(digest(ANN), other)
    assert not is_other_content(digest(ANN), digest(SAME))


def test_what_can_t_be_compared_is_no_other_content() -> None:
    assert not is_other_content(None, digest(ANN))
    assert not is_other_content(digest(ANN), None)
    for key in (b"", hashing_key("another")):
        assert not is_other_content(digest(ANN), digest(BILL, key=key))
    assert is_other_content(digest(ANN, key=b""), digest(BILL, key=b"")), "also without a key"


def test_equal_messages_of_two_triggers_can_t_be_told_by_their_digests() -> None:
    assert digest(ANN) != digest(ANN, request_id=OTHER)


def test_the_case_of_a_domain_is_no_other_recipient_and_that_of_a_mailbox_is() -> None:
    def to(address: str) -> bytes:
        return digest(Recipient(user_id=address, channel_data={"emailAddress": address, "other": "X@Y.Z"}))

    assert to("ada@Example.COM") == to("ada@example.com")
    assert to("Ada@example.com") != to("ada@example.com")
    assert digest(Recipient(user_id="SHOP")) != digest(Recipient(user_id="shop"))
    assert recipient_hash("Ada@Example.com ", KEY) == recipient_hash("ada@example.com", KEY), "who searches finds both"
