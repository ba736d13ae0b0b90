"""The publisher for asyncio, without a broker: the loop goes on, cancelled calls say what became of them."""

import asyncio
import concurrent.futures.thread
import threading
from collections.abc import Awaitable, Callable, Iterator

import pytest
from ajo_producers import AsyncPublisher, CheckedTrigger, PublisherFull, PublishError, Receipt
from ajo_producers.publishing import async_callers
from ajo_producers.publishing import carrier as carriers
from ajo_producers.publishing.campaign import Campaign
from ajo_producers.publishing.link import LinkFailure
from ajo_producers.publishing.outgoing import WINDOW_MESSAGES

from tests.support.definitions import ORDER_SHIPPED
from tests.support.links import HeldLink
from tests.support.waiting import DEADLINE_SECONDS

URL = "amqp://ada:hunter2@127.0.0.1:1/"
CAMPAIGN = Campaign(ORDER_SHIPPED)


def make(number: int = 1) -> CheckedTrigger:
    return CAMPAIGN.trigger(to=f"p{number}@example.com", context={"orderId": "A"})


@pytest.fixture
def link(monkeypatch: pytest.MonkeyPatch) -> HeldLink:
    """The link that is opened; it confirms once the test lets it go."""
    link = HeldLink(held=True)
    monkeypatch.setattr(carriers, "open_link", lambda *_: link)
    return link


async def until(condition: Callable[[], object]) -> None:
    """Let others run until it holds; this fails if the loop is held up."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():
            await asyncio.sleep(0.001)


async def cause_of(cancelled: Awaitable[object]) -> PublishError:
    """What the ``CancelledError`` of a cancelled call says."""
    with pytest.raises(asyncio.CancelledError) as caught:
        await cancelled
    assert isinstance(caught.value.__cause__, PublishError)
    return caught.value.__cause__


def test_it_shows_no_password_and_takes_the_settings_of_the_environment() -> None:
    publisher = AsyncPublisher.from_env({"AJO_BROKER_URL": URL, "AJO_QUEUE_PREFIX": "mine"})
    assert repr(publisher) == "AsyncPublisher(amqp://127.0.0.1:1/, mine)"


async def test_the_loop_goes_on_while_the_broker_confirms_nothing_and_what_comes_meanwhile_travels_together(
    link: HeldLink,
) -> None:
    async with AsyncPublisher(URL, timeout=DEADLINE_SECONDS) as publisher:
        calls = [asyncio.create_task(publisher.publish(make()))]
        await until(lambda: link.windows)
        calls += [asyncio.create_task(publisher.publish(make(number))) for number in range(2, 500)]
        await until(lambda: publisher.waiting == 499)
        link.let_go.set()
        receipts = await asyncio.gather(*calls)
    assert [len(window) for window in link.windows] == [1, 5], "498 triggers in messages of 100"
    assert len({receipt.request_id for receipt in receipts}) == 499
    assert publisher.waiting == 0


async def test_where_no_thread_can_be_had_that_is_told_and_a_later_call_finds_one(
    link: HeldLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that may have no more of them for a moment."""
    link.let_go.set()
    async with AsyncPublisher(URL) as publisher:
        with monkeypatch.context() as short:
            short.setattr(threading.Thread, "start", no_thread)
            with pytest.raises(PublishError) as caught:
                await publisher.publish(trigger := make(1))
            with pytest.raises(PublishError, match="no thread can be started") as of_many:
                await publisher.publish_many(many := [make(3), make(4)])
        assert caught.value.unsent == (trigger.request_id,)
        assert of_many.value.unsent == tuple(one.request_id for one in many)
        assert isinstance(await publisher.publish(make(2)), Receipt)
    assert link.windows == [[{"p2@example.com"}]]


async def test_at_the_interpreters_end_that_is_told_and_it_is_closed_without_a_fault(
    link: HeldLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    link.let_go.set()
    publisher = AsyncPublisher(URL, timeout=DEADLINE_SECONDS)
    await publisher.publish(make(1))
    monkeypatch.setattr(concurrent.futures.thread, "_shutdown", True)  # as the main thread's end does
    publisher._callers._executor._shutdown = True  # as its idle thread does then
    for call in (publisher.publish(make(2)), publisher.publish_many([make(3)])):
        with pytest.raises(PublishError, match="the program's main thread has ended"):
            await call
    await publisher.close()
    assert link.windows == [[{"p1@example.com"}]]


def no_thread(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


async def test_cancelled_before_it_is_sent_it_is_never_sent_and_says_so(link: HeldLink) -> None:
    publisher, trigger = AsyncPublisher(URL), make(2)
    first = asyncio.create_task(publisher.publish(make(1)))
    await until(lambda: link.windows)
    second = asyncio.create_task(publisher.publish(trigger))
    third = asyncio.create_task(publisher.publish(make(3)))
    await until(lambda: publisher.waiting == 3)
    second.cancel()
    cause = await cause_of(second)
    assert cause.unsent == cause.unconfirmed == (trigger.request_id,)
    link.let_go.set()
    await asyncio.gather(first, third)
    assert link.windows == [[{"p1@example.com"}], [{"p3@example.com"}]]


async def test_cancelled_on_its_way_it_ends_at_once_says_so_and_costs_no_neighbour_its_receipt(link: HeldLink) -> None:
    publisher, trigger = AsyncPublisher(URL), make(1)

    async def limited() -> None:
        async with asyncio.timeout(DEADLINE_SECONDS) as limit:
            call = publisher.publish(trigger)
            asyncio.get_running_loop().create_task(until(lambda: link.windows)).add_done_callback(
                lambda _: limit.reschedule(0)
            )
            await call

    with pytest.raises(TimeoutError) as caught:
        await limited()
    assert isinstance(caught.value.__cause__, asyncio.CancelledError), "asyncio's own time-outs work as ever"
    cause = caught.value.__cause__.__cause__
    assert isinstance(cause, PublishError)
    assert (cause.unconfirmed, cause.unsent, cause.confirmed) == ((trigger.request_id,), (), ())
    neighbour = asyncio.create_task(publisher.publish(make(2)))
    link.let_go.set()
    assert isinstance(await neighbour, Receipt)


async def test_cancelled_when_it_is_confirmed_already_it_says_that(
    link: HeldLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    link.let_go.set()
    trigger = make(1)
    call = asyncio.create_task(AsyncPublisher(URL).publish(trigger))
    monkeypatch.setattr(async_callers, "_tell", lambda *_: call.cancel())
    cause = await cause_of(call)
    assert (cause.confirmed, cause.unconfirmed) == ((trigger.request_id,), ())


async def test_more_calls_than_may_wait_are_refused_at_once(link: HeldLink) -> None:
    publisher, trigger = AsyncPublisher(URL, max_waiting=2), make(3)
    calls = [asyncio.create_task(publisher.publish(make(number))) for number in (1, 2)]
    await until(lambda: publisher.waiting == 2)
    with pytest.raises(PublisherFull, match=r"2 calls wait for amqp://127.0.0.1:1/ already") as caught:
        await publisher.publish(trigger)
    assert caught.value.unsent == (trigger.request_id,)
    link.let_go.set()
    await asyncio.gather(*calls)
    await publisher.publish(trigger)


async def test_a_thread_that_is_stuck_without_a_time_limit_keeps_no_call_waiting(
    link: HeldLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(async_callers, "GRACE_SECONDS", -9.999)
    publisher = AsyncPublisher(URL, timeout=10)
    with pytest.raises(PublishError, match="no answer") as caught:
        await publisher.publish(make())
    link.let_go.set()
    assert len(caught.value.unconfirmed) == 1


async def test_a_fault_of_ours_ends_every_call_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: object) -> HeldLink:
        raise KeyError("hunter2")

    monkeypatch.setattr(carriers, "open_link", faulty)
    publisher = AsyncPublisher(URL)
    told = await asyncio.gather(*(publisher.publish(make(number)) for number in range(3)), return_exceptions=True)
    assert {str(error).rpartition(": ")[2] for error in told} == {"unexpected KeyError"}
    with pytest.raises(TypeError, match=r"only what Campaign.trigger returns"):
        await publisher.publish("a trigger")  # type: ignore[arg-type] # the mistake


async def test_publish_many_is_that_of_the_blocking_publisher(link: HeldLink) -> None:
    link.let_go.set()
    publisher, triggers, told = AsyncPublisher(URL), [make(number) for number in range(250)], list[int]()
    report = await publisher.publish_many(triggers, on_progress=told.append)
    assert report.confirmed == tuple(trigger.request_id for trigger in triggers)
    assert (report.messages, told) == (3, [100, 200, 250])
    streamed = [len(receipts) async for receipts in publisher.publish_stream(triggers, batch_size=100)]
    assert streamed == [100, 100, 50]

    def source() -> Iterator[CheckedTrigger]:
        yield triggers[0]
        raise OSError

    with pytest.raises(PublishError, match="the source of the triggers failed") as caught:
        await publisher.publish_many(source())
    assert caught.value.confirmed == (triggers[0].request_id,)


async def test_publish_many_that_is_cancelled_says_what_was_sent(link: HeldLink) -> None:
    link.let_go.set()
    publisher, taken = AsyncPublisher(URL), list[CheckedTrigger]()

    def source() -> Iterator[CheckedTrigger]:
        while True:
            if len(taken) == WINDOW_MESSAGES:
                link.let_go.clear()
            taken.append(make(len(taken)))
            yield taken[-1]

    call = asyncio.create_task(publisher.publish_many(source(), batch_size=1))
    await until(lambda: len(link.windows) == 2)
    call.cancel()
    cause = await cause_of(call)
    ids = tuple(trigger.request_id for trigger in taken)
    assert (cause.confirmed, cause.unconfirmed) == (ids[:WINDOW_MESSAGES], ids[WINDOW_MESSAGES:])
    assert cause.unsent == ()
    link.let_go.set()


async def test_publish_many_that_is_cancelled_between_two_windows_has_sent_nothing_of_the_second(
    link: HeldLink,
) -> None:
    link.let_go.set()
    triggers = [make(number) for number in range(WINDOW_MESSAGES + 2)]

    def source() -> Iterator[CheckedTrigger]:
        yield from triggers
        call.cancel()
        yield make(99)

    call = asyncio.create_task(AsyncPublisher(URL).publish_many(source(), batch_size=1))
    cause = await cause_of(call)
    ids = tuple(trigger.request_id for trigger in triggers)
    assert cause.confirmed == ids[:WINDOW_MESSAGES]
    assert cause.unconfirmed[:2] == ids[WINDOW_MESSAGES:]
    assert cause.unsent == cause.unconfirmed
    assert len(link.windows) == 1


def test_it_is_made_before_any_loop_and_used_in_several(link: HeldLink) -> None:
    link.let_go.set()
    publisher = AsyncPublisher(URL)

    async def publish() -> Receipt:
        receipt = await publisher.publish(make())
        await publisher.close()
        return receipt

    assert asyncio.run(publish()).request_id != asyncio.run(publish()).request_id


async def test_a_broker_that_is_away_fails_all_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> HeldLink:
        raise LinkFailure("connection refused")

    monkeypatch.setattr(carriers, "open_link", away)
    publisher = AsyncPublisher(URL)
    told = await asyncio.gather(*(publisher.publish(make(number)) for number in range(100)), return_exceptions=True)
    assert all(isinstance(error, PublishError) and error.unsent == error.unconfirmed for error in told)
