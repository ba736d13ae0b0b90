"""The invented business events of the demo."""

from datetime import UTC, datetime, timedelta

from ajo_local.order_events import order_events

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def test_every_event_is_another_order_and_another_person() -> None:
    events = list(order_events(2000, NOW, 200))
    assert len({event["key"] for event in events}) == 2000
    assert len({event["to"] for event in events}) == 2000


def test_the_events_are_the_same_each_time() -> None:
    assert list(order_events(50, NOW, 200)) == list(order_events(50, NOW, 200))


def test_nobody_real_is_addressed() -> None:
    assert all(str(event["to"]).endswith("@example.com") for event in order_events(100, NOW, 200))


def test_so_many_orders_are_shipped_a_second() -> None:
    events = list(order_events(401, NOW, 200))
    shipped = [datetime.fromisoformat(str(events[number]["occurred_at"])) for number in (0, 200, 400)]
    assert shipped == [NOW, NOW + timedelta(seconds=1), NOW + timedelta(seconds=2)]
