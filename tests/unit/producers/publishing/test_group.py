"""Group publishing: who travels with whom, and that each trigger has an outcome of its own."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from ajo_producers import CheckedTrigger, Publisher, PublishError, Receipt
from ajo_producers.publishing import callers
from ajo_producers.publishing import carrier as carriers
from ajo_producers.publishing import link as links
from ajo_producers.publishing.campaign import Campaign
from ajo_producers.publishing.carrier import Carrier
from ajo_producers.publishing.environment import PublisherSettings
from ajo_producers.publishing.group import Group, Waiting
from ajo_producers.publishing.link import LinkFailure, Refused
from ajo_producers.publishing.outgoing import WINDOW_TRIGGERS
from ajo_producers.publishing.turns import Turns
from hypothesis import given
from hypothesis import strategies as st

from tests.support.definitions import ORDER_SHIPPED
from tests.support.links import HeldLink
from tests.support.waiting import DEADLINE_SECONDS, wait_until

URL = "amqp://127.0.0.1:1/"
CAMPAIGN = Campaign(ORDER_SHIPPED)
Opens = Callable[..., list[HeldLink]]


def make(to: str, key: str | None = None) -> CheckedTrigger:
    return CAMPAIGN.trigger(to=f"{to}@example.com", context={"orderId": "A"}, key=key)


def fails_with(name: str, failure: BaseException) -> Callable[[set[str]], None]:
    """Fails each message in which this recipient is."""

    def check(recipients: set[str]) -> None:
        if f"{name}@example.com" in recipients:
            raise failure

    return check


@pytest.fixture
def opens(monkeypatch: pytest.MonkeyPatch) -> Opens:
    """Opens these links one after another, then others that do as the last one; returns all that were opened."""

    def script(*given: HeldLink | Exception) -> list[HeldLink]:
        opened: list[HeldLink] = []
        waiting = list(given)

        def open_link(*_: object) -> HeldLink:
            link = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            if isinstance(link, Exception):
                raise link
            opened.append(link)
            return link

        monkeypatch.setattr(carriers, "open_link", open_link)
        return opened

    return script


def group_of(*names: str) -> tuple[Group[Waiting], list[Waiting]]:
    """A group in which these wait; the first one leads."""
    group: Group[Waiting] = Group(Carrier(PublisherSettings(URL, "test", 10, None)))
    calls = [Waiting(make(name), 10) for name in names]
    for call in calls:
        group.join(call)
    return group, calls


def outcomes(calls: Sequence[Waiting]) -> list[str]:
    """``ok`` for a receipt of its own trigger, else why not, and ``(unsent)`` for what the broker certainly hasn't."""
    told = []
    for call in calls:
        if isinstance(call.outcome, PublishError):
            assert call.outcome.unconfirmed == (call.trigger.request_id,)
            told.append(str(call.outcome).rpartition(": ")[2] + " (unsent)" * (call.outcome.unsent != ()))
        else:
            assert call.outcome is None or call.outcome.request_id == call.trigger.request_id
            told.append("waits" if call.outcome is None else "ok")
    return told


def settle(group: Group[Waiting]) -> None:
    """Carry until nobody waits."""
    while group.next():
        group.carry()


def names_of(link: HeldLink) -> list[list[str]]:
    """The recipients of each message."""
    return [sorted(to.partition("@")[0] for to in message) for window in link.windows for message in window]


def test_what_waits_travels_in_one_message_and_each_call_has_the_receipt_of_its_own_trigger(opens: Opens) -> None:
    opens(link := HeldLink())
    group, calls = group_of("ann", "bob", "cyd")
    assert [call.leads for call in calls] == [True, False, False]
    assert set(group.carry()) == set(calls)
    assert outcomes(calls) == ["ok"] * 3
    assert names_of(link) == [["ann", "bob", "cyd"]]
    assert group.next() is None


@pytest.mark.parametrize(
    ("first_link", "failure", "told", "messages"),
    [
        # Of a connection that breaks nobody knows whom it concerns: each goes again by itself, over a second connection
        # too, as whatever is published alone.
        (True, LinkFailure("lost"), ["ok", "lost", "ok"], [["ann"], ["bob"], ["bob"], ["cyd"]]),
        # The broker's answer is the answer.
        (True, Refused("no room"), ["no room"] * 3, []),
        # An old connection may have died long ago: all go over a new one, and then each by itself.
        (False, LinkFailure("lost"), ["ok", "lost", "ok"], [["ann", "bob", "cyd"], ["ann"], ["bob"], ["bob"], ["cyd"]]),
    ],
)
def test_one_that_fails_costs_no_neighbour_its_receipt(
    opens: Opens, first_link: bool, failure: LinkFailure, told: list[str], messages: list[list[str]]
) -> None:
    group, calls = group_of("ann", "bob", "cyd")
    opened = opens(HeldLink(fails_with("bob", failure)), then := HeldLink(fails_with("bob", failure)))
    if not first_link:
        early = Waiting(make("eve"), 10)
        group._queue.appendleft(early)
        early.alone = True
        group.carry()
        assert outcomes([early]) == ["ok"]
    settle(group)
    assert outcomes(calls) == told
    assert names_of(then) == messages
    assert opened


def test_a_broker_that_is_away_fails_all_that_wait_at_once_and_nothing_was_sent(opens: Opens) -> None:
    opens(LinkFailure("connection refused"))
    group, calls = group_of("ann", "bob")
    assert len(group.carry()) == 2
    assert outcomes(calls) == ["connection refused (unsent)"] * 2


def test_while_somebody_else_has_the_connection_only_those_fail_whose_time_is_over(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(links, "monotonic", lambda: now)
    opens(HeldLink())
    group, calls = group_of("ann")
    now = 9.0
    late = Waiting(make("bob"), 10)
    group.join(late)
    now = 11.0
    group.carry()
    assert outcomes([*calls, late]) == ["other threads had the connection all the time (unsent)", "waits"]
    settle(group)
    assert outcomes([late]) == ["ok"]


def test_whoever_withdraws_before_the_message_is_made_is_never_sent(opens: Opens) -> None:
    opens(link := HeldLink())
    group, [ann, bob] = group_of("ann", "bob")
    assert group.withdraw(ann)
    settle(group)
    assert not group.withdraw(bob), "it was sent"
    assert (outcomes([ann, bob]), names_of(link)) == (["waits", "ok"], [["bob"]])


def test_one_request_id_is_in_no_message_twice_and_both_calls_have_a_receipt(opens: Opens) -> None:
    opens(link := HeldLink())
    group, _ = group_of()
    calls = [Waiting(make("ann", key="A-1"), 10) for _ in range(2)]
    for call in calls:
        group.join(call)
    settle(group)
    assert (outcomes(calls), names_of(link)) == (["ok", "ok"], [["ann"], ["ann"]])


def test_a_group_is_one_window_at_most(opens: Opens) -> None:
    opens(link := HeldLink())
    group, calls = group_of()
    trigger = make("ann")
    for _ in range(WINDOW_TRIGGERS + 1):
        calls.append(Waiting(trigger, 10))
    for call in calls:
        call.trigger = CheckedTrigger(
            trigger=make(f"p{len(link.windows)}").trigger, lane="standard", priority="normal", encoded=trigger.encoded
        )
        group.join(call)
    assert len(group.carry()) == WINDOW_TRIGGERS
    assert len(group) == 1


def test_an_interrupted_leader_leaves_the_others_their_chance(opens: Opens) -> None:
    opens(HeldLink(fails_with("ann", KeyboardInterrupt())), then := HeldLink())
    group, [ann, bob] = group_of("ann", "bob")
    with pytest.raises(KeyboardInterrupt):
        group.carry()
    group.withdraw(ann)
    assert group.next() is bob
    settle(group)
    assert (outcomes([bob]), names_of(then)) == (["ok"], [["bob"]])


@given(st.lists(st.tuples(st.sampled_from(["join", "withdraw", "carry"]), st.integers(0, 9)), max_size=40))
def test_whatever_comes_every_call_has_one_outcome_and_a_receipt_only_for_what_was_confirmed(
    steps: list[tuple[str, int]],
) -> None:
    """Calls join and withdraw between rounds; triggers of one recipient always break the connection."""
    link = HeldLink(fails_with("p0", LinkFailure("lost")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(carriers, "open_link", lambda *_: link)
        group, calls = group_of()
        gone: set[int] = set()
        for what, number in steps:
            if what == "join":
                calls.append(Waiting(make(f"p{number}"), 10))
                group.join(calls[-1])
            elif what == "withdraw" and number < len(calls) and group.withdraw(calls[number]):
                gone.add(number)
            elif what == "carry":
                group.carry()
        settle(group)
    sent = {name for message in names_of(link) for name in message}
    for number, (call, told) in enumerate(zip(calls, outcomes(calls), strict=True)):
        bad = call.trigger.trigger.recipients[0].user_id == "p0@example.com"
        assert told == ("waits" if number in gone else "lost" if bad else "ok")
        assert told != "ok" or call.trigger.trigger.recipients[0].user_id.partition("@")[0] in sent


def test_threads_that_publish_while_a_confirm_is_under_way_travel_together(opens: Opens) -> None:
    opens(link := HeldLink(held=True))
    publisher = Publisher(URL)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(publisher.publish, make("ann"))]
        assert link.under_way.acquire(timeout=DEADLINE_SECONDS)
        futures += [pool.submit(publisher.publish, make(name)) for name in ("bob", "cyd", "dan")]
        wait_until(lambda: len(publisher._callers._group) == 3, what="three calls that wait")
        link.let_go.set()
        receipts = [future.result(DEADLINE_SECONDS) for future in futures]
    assert names_of(link) == [["ann"], ["bob", "cyd", "dan"]]
    assert len({receipt.batch_id for receipt in receipts}) == 2


def test_a_thread_whose_time_is_over_says_whether_its_trigger_was_sent(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens(link := HeldLink(held=True))
    monkeypatch.setattr("ajo_producers.publishing.callers.GRACE_SECONDS", 0.0)
    publisher = Publisher(URL)
    with ThreadPoolExecutor(2) as pool:
        leader = pool.submit(publisher.publish, make("ann"))
        assert link.under_way.acquire(timeout=DEADLINE_SECONDS)
        publisher._callers._timeout = 0.001
        with pytest.raises(PublishError) as waited:
            publisher.publish(make("bob"))
        link.let_go.set()
        assert isinstance(leader.result(DEADLINE_SECONDS), Receipt)
    assert waited.value.unsent == waited.value.unconfirmed
    assert names_of(link) == [["ann"]]


def test_a_thread_that_is_made_leader_when_its_time_is_over_hands_that_on(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens(link := HeldLink())
    publisher = Publisher(URL)
    group = publisher._callers._group
    group._led = True

    class TooLate(callers.Caller):
        def __init__(self, trigger: CheckedTrigger, seconds: float) -> None:
            super().__init__(trigger, seconds)
            self.wake = SimpleNamespace(acquire=lambda **_: group.next() is None)  # type: ignore[assignment] # used as one

    monkeypatch.setattr(callers, "Caller", TooLate)
    with pytest.raises(PublishError, match="other threads") as caught:
        publisher.publish(make("ann"))
    monkeypatch.undo()
    opens(link)
    assert caught.value.unsent == caught.value.unconfirmed
    assert publisher.publish(make("bob"))
    assert names_of(link) == [["bob"]]


def test_many_threads_on_a_link_that_breaks_now_and_then_all_get_their_own_receipt(opens: Opens) -> None:
    numbers = iter(range(10**6))

    def now_and_then(_: set[str]) -> None:
        if next(numbers) % 7 == 3:
            raise LinkFailure("lost")

    class Breaking(HeldLink):
        def __init__(self) -> None:
            super().__init__(now_and_then)

    opens(Breaking())
    publisher = Publisher(URL)

    def publish(number: int) -> bool:
        trigger = make(f"p{number}")
        while True:
            try:
                return publisher.publish(trigger).request_id == trigger.request_id
            except PublishError as error:
                if error.unconfirmed != (trigger.request_id,):
                    return False

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(publish, range(200)))
    assert not publisher._callers._group._led


def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    turns, order = Turns(), []
    first = turns.turn()
    assert first.wait(DEADLINE_SECONDS)

    def take(name: str) -> None:
        turn = turns.turn()
        assert turn.wait(DEADLINE_SECONDS)
        order.append(name)
        turn.leave()

    threads = []
    for name in ("ann", "bob", "cyd"):
        threads.append(threading.Thread(target=take, args=(name,)))
        threads[-1].start()
        wait_until(lambda: len(turns) == 1 + len(threads), what="it waits")
    late = turns.turn()
    assert not late.wait(0.001)
    late.leave()
    first.leave()
    take("last")
    for thread in threads:
        thread.join(DEADLINE_SECONDS)
    assert order == ["ann", "bob", "cyd", "last"]
    assert turns.turn().wait(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_process_waits_for_no_thread_of_its_parent(opens: Opens) -> None:
    opens(link := HeldLink(held=True))
    publisher = Publisher(URL)
    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(publisher.publish, make("ann"))
        assert link.under_way.acquire(timeout=DEADLINE_SECONDS)
        child = os.fork()
        if child == 0:  # nothing of pytest may run here
            link.let_go.set()
            try:
                publisher.publish(make("bob"))
                os._exit(0)
            finally:
                os._exit(1)
        ended = wait_until(lambda: status if (status := os.waitpid(child, os.WNOHANG))[0] else None, what="its end")
        link.let_go.set()
        assert leader.result(DEADLINE_SECONDS)
    assert ended[1] == 0
