"""``ajo-dispatch trigger`` as a user types it, for one trigger; see test_trigger_lines_command.py for files."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.acceptance.trigger_command import GOOD, TriggerCommand, broker_environment, queued


@pytest.fixture
def trigger(tmp_path: Path) -> TriggerCommand:
    return TriggerCommand(tmp_path)


@pytest.fixture
def broker(broker_url: str, queue_prefix: str) -> dict[str, str]:
    return broker_environment(broker_url, queue_prefix)


def test_one_trigger_is_published_and_its_request_id_printed(trigger: TriggerCommand, broker: dict[str, str]) -> None:
    done = trigger("order-shipped", *GOOD, env=broker)
    assert (done.code, done.err) == (0, "")
    [found] = queued(broker)
    assert done.out == f"{found.request_id}\n"
    assert found.recipients[0].context == {"orderId": "A-1", "carrier": "the post"}

    done = trigger("flash-sale", *GOOD, "--json", env=broker)
    [found] = queued(broker, "high-throughput")
    assert json.loads(done.out) == {
        "request_id": str(found.request_id),
        "campaign": "flash-sale",
        "queue": f"{broker['AJO_QUEUE_PREFIX']}.high-throughput",
    }


def test_every_option_of_one_trigger_travels(trigger: TriggerCommand, broker: dict[str, str]) -> None:
    options = ["--user-id", "u1@example.com", "--profile", "firstName=Ada", "--context", "customer.tier=a=b"]
    options += ["--context", 'lines=[{"sku": 1}]', "--channel-data", "emailAddress=other@example.com"]
    options += ["--key", "A-1", "--occurred-at", "2026-11-01T09:00:00+01:00", "--trace-id", "t-1"]
    ids = [trigger("order-shipped", *GOOD, *options, "--expires-in", "3600", env=broker).out for _ in range(2)]
    [found, again] = queued(broker)
    assert ids == ["01a1961f-5c00-73fe-a636-947fdb6ac011\n"] * 2
    assert found.request_id == again.request_id
    [recipient] = found.recipients
    assert recipient.user_id == "u1@example.com"
    assert recipient.channel_data == {"emailAddress": "other@example.com"}
    assert recipient.profile == {"firstName": "Ada"}
    assert recipient.context["customer"] == {"tier": "a=b"}
    assert recipient.context["lines"] == [{"sku": 1}]
    assert (found.trace_id, found.occurred_at) == ("t-1", datetime(2026, 11, 1, 8, tzinfo=UTC))
    assert found.expires_at is not None


def test_everything_wrong_with_one_trigger_is_told_at_once_by_path(trigger: TriggerCommand) -> None:
    done = trigger(
        "order-shipped",
        *("--to", "ada@example.com", "--context", "orderID=A-1", "--context", "lines=[", "--profile", "zzz=1"),
        *("--occurred-at", "yesterday", "--expires-in", "-1"),
    )
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: order-shipped can't take this trigger:\n")
    assert set(done.err.splitlines()[1:]) == {
        "  context.orderId is missing",
        "  context.orderID is unknown; did you mean context.orderId?",
        "  context.lines must be JSON: an array",
        "  profile.zzz is unknown",
        "  occurred_at must be a time with its zone between the years 2000 and 2100, such as 2026-11-01T08:00:00Z",
        *(line for line in done.err.splitlines() if "it has expired already, at " in line),
    }
    assert "it has expired already" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("order-shipped",),
        ("--to", "ada@example.com"),
        ("order-shipped", "--context", "orderId=A-1"),
        ("order-shipped", *GOOD, "--context", "orderId"),
        ("order-shipped", *GOOD, "--context", "orderId=A-2"),
        ("order-shipped", *GOOD, "--context", "ada@example.com=1", "--context", "ada@example.com=2"),
        ("order-shipped", *GOOD, "--from", "t.csv"),
        ("order-shipped", "--context", "ada@example.com=1", "--from", "t.csv"),
        ("order-shipped", *GOOD, "--receipts", "new"),
        ("order-shipped", *GOOD, "--resume", "old"),
        ("order-shipped", *GOOD, "--start-line", "2"),
        ("order-shipped", "--from", "t.csv", "--receipts", "new", "--resume", "old"),
        ("order-shipped", "--from", "t.csv", "--resume", "old"),
        ("order-shipped", "--from", "t.csv", "--start-line", "0"),
        ("order-shipped", *GOOD, "--format", "csv"),
        ("order-shipped", *GOOD, "--expires-in", "soon"),
        ("order-shipped", "--from", "t.txt"),
        ("order-shipped", "--from", "-"),
        ("order-shipped", "--from", "t.csv", "--format", "xml"),
        ("order-shipped", "--from", "t.csv", "--batch-size", "0"),
        ("order-shipped", "--from", "t.csv", "--batch-size", "1001"),
        ("order-shipped", "--from", "t.csv", "--receipts", "old"),
        ("order-shipped", *GOOD, "--nothing"),
    ],
)
def test_wrong_usage_has_exit_code_2_and_writes_nothing(
    arguments: tuple[str, ...], trigger: TriggerCommand, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text("to,context.orderId\n", encoding="utf-8")
    (tmp_path / "old").write_text("precious", encoding="utf-8")
    done = trigger(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "error: " in done.err
    assert (tmp_path / "old").read_text() == "precious"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "env", "told"),
    [
        (("order-shiped", *GOOD), {}, "no campaign is called 'order-shiped'; did you mean order-shipped?"),
        (("order-shipped", *GOOD, "--dir", "nowhere"), {}, "nowhere: no such folder of campaign definitions"),
        (("order-shipped", "--from", "nothing.csv"), {}, "nothing.csv: No such file or directory"),
        (("order-shipped", *GOOD), {"AJO_BROKER_URL": "amqp://ada:hunter2@127.0.0.1:x/"}, "URL can't be read"),
        (("order-shipped", *GOOD), {"AJO_PUBLISH_TIMEOUT": "soon"}, "AJO_PUBLISH_TIMEOUT must be a number"),
        (
            ("order-shipped", *GOOD),
            {"AJO_BROKER_URL": ""},
            "AJO_BROKER_URL is not set: nothing is published",
        ),
        (("order-shipped", *GOOD), {"AJO_BEFORE_START": "later"}, "AJO_BEFORE_START must be wait or refuse"),
        (
            ("order-shipped", "--to", "", "--context", "orderId=1"),
            {},
            "can't take this trigger:\n  to is blank",
        ),
        (("order-shipped", *GOOD), {"AJO_QUEUE_PREFIX": "a b"}, "the queue prefix must be"),
        (("order-shipped", *GOOD), {"AJO_BROKER_URL": "", "AJO_BROKER_URL_FILE": "nothing"}, "AJO_BROKER_URL_FILE"),
    ],
)
def test_what_is_not_there_is_told_as_a_failure_and_a_bad_setting_as_wrong_usage(
    arguments: tuple[str, ...], env: dict[str, str], told: str, trigger: TriggerCommand
) -> None:
    done = trigger(*arguments, env=env)
    assert (done.code, done.out) == (2 if env else 1, "")
    assert told in done.err


def test_the_brokers_address_may_come_from_a_file(
    trigger: TriggerCommand, broker: dict[str, str], tmp_path: Path
) -> None:
    url = broker["AJO_BROKER_URL"]
    (tmp_path / "url").write_text(f"{url}\n", encoding="utf-8")
    env = {**broker, "AJO_BROKER_URL": "", "AJO_BROKER_URL_FILE": str(tmp_path / "url")}
    assert trigger("order-shipped", *GOOD, env=env).code == 0
    assert len(queued(broker)) == 1
