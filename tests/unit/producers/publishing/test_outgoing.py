"""Which triggers travel together, so that each recipient's keep their order whatever the broker refuses."""

from collections import defaultdict

from ajo_producers import CheckedTrigger
from ajo_producers.contract.batch import MAX_TRIGGERS
from ajo_producers.publishing.campaign import Campaign
from ajo_producers.publishing.outgoing import MAX_BATCH_BYTES, WINDOW_BYTES, WINDOW_MESSAGES, windows_in_order
from hypothesis import given
from hypothesis import strategies as st

from tests.support.definitions import ORDER_SHIPPED, definition

CAMPAIGN, URGENT = Campaign(ORDER_SHIPPED), Campaign(definition(priority="urgent"))
PEOPLE = [f"p{number}@example.com" for number in range(6)]
SOMEBODY = st.lists(st.sampled_from([*PEOPLE, "p0@Example.COM"]), min_size=1, max_size=2, unique_by=str.lower)


def make(number: int, people: list[str], campaign: Campaign = CAMPAIGN, filling: str = "") -> CheckedTrigger:
    context = {"orderId": f"A-{number}", "carrier": filling}
    return campaign.trigger(recipients=[{"to": to, "context": context} for to in people])


@given(st.lists(st.tuples(SOMEBODY, st.booleans()), max_size=40), st.integers(1, 4), st.data())
def test_a_recipients_triggers_come_in_order_whichever_messages_are_refused(
    wanted: list[tuple[list[str], bool]], size: int, data: st.DataObject
) -> None:
    """As a relay does it: after a window of which something was refused, it begins again with what is left."""
    left = [make(number, people, URGENT if urgent else CAMPAIGN) for number, (people, urgent) in enumerate(wanted)]
    added, came = list(left), []
    while left:
        for window in windows_in_order(left, size):
            taken = [batch for batch in window if not data.draw(st.booleans(), label="refused")]
            came += [trigger for batch in taken for trigger in batch]
            if len(taken) < len(window):
                break
        left = [trigger for trigger in left if trigger not in came]
    assert orders(came) == orders(added)


def orders(triggers: list[CheckedTrigger]) -> dict[tuple[str, str], list[str]]:
    """The triggers of each recipient in each queue, in their order."""
    found = defaultdict(list)
    for each in triggers:
        for recipient in each.trigger.recipients:
            found[recipient.user_id.lower(), each.priority].append(str(each.request_id))
    return dict(found)


def test_windows_and_messages_are_as_large_as_elsewhere_but_for_who_is_in_one_already() -> None:
    strangers = [make(number, [f"q{number}@example.com"]) for number in range(250)]
    assert [len(batch) for batch in next(windows_in_order(strangers))] == [100, 100, 50]
    again = [*strangers, *strangers]
    assert [[len(batch) for batch in window] for window in windows_in_order(again)] == [[200, 200, 100]]
    one = [make(number, PEOPLE[:1]) for number in range(MAX_TRIGGERS + 1)]
    assert [[len(batch) for batch in window] for window in windows_in_order(one)] == [[MAX_TRIGGERS], [1]]


def test_no_message_and_no_window_is_too_large_for_its_bytes() -> None:
    large = [make(number, [PEOPLE[number % 6]], filling="x" * 90_000) for number in range(120)]
    for window in windows_in_order(large):
        assert len(window) <= WINDOW_MESSAGES
        sizes = [sum(len(trigger.encoded) for trigger in batch) for batch in window]
        assert max(sizes) <= MAX_BATCH_BYTES
        assert sum(sizes) <= WINDOW_BYTES
