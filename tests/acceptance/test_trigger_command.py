"""``ajo-dispatch trigger`` as a user types it: one trigger, or the lines of a file."""

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ajo_producers.contract.batch import decode_body, decode_trigger
from ajo_producers.contract.trigger import Trigger
from ajo_producers.publishing.outgoing import WINDOW_MESSAGES
from ajo_worker.local.ports import free_port
from ajo_worker.local.processes import environment

from tests.integration.producers.publishing.proxy import Proxy
from tests.integration.producers.publishing.queues import arrived, as_bytes, take
from tests.support.definitions import write_definitions
from tests.support.programs import PLAIN, PROGRAM, Finished
from tests.support.waiting import wait_until

GOOD = ("--to", "ada@example.com", "--context", "orderId=A-1")
CSV = """to,key,context.orderId,context.lines
ada@example.com,A-1,A-1,"[1, ""two""]"
bob@example.com,A-2,,
"eve@example.com",A-3,"A
3",

mallory@example.com,A-4,A-4,"[1"
zoe@example.com,A-5
kim@example.com,,A-6,
"""
JSONL = """{"to": "ada@example.com", "key": "A-1", "context": {"orderId": "A-1", "lines": [1, "two"]}}
{"to": "bob@example.com", "key": "A-2", "context": {}}
{"to": "eve@example.com", "key": "A-3", "context": {"orderId": "A\\n3"}}

{"to": "mallory@example.com", "key": "A-4", "context": {"orderId": "A-4", "lines": "[1"}}
{"to": "zoe@example.com", "key": "A-5"
{"to": "kim@example.com", "context": {"orderId": "A-6"}}
"""
REFUSED = {
    "csv": {
        3: ["context.orderId is missing"],
        7: ["context.lines must be JSON: an array"],
        8: ["it has 2 cells, and the header 4 columns"],
    },
    "jsonl": {
        2: ["context.orderId is missing"],
        5: ["context.lines must be of type array, not string"],
        6: ["Input data was truncated"],
    },
}
CONFIRMED = {"csv": [2, 4, 9], "jsonl": [1, 3, 7]}

Run = Callable[..., Finished]


@pytest.fixture
def trigger(run_cli: Run, tmp_path: Path) -> Run:
    """Runs ``ajo-dispatch trigger`` where there are two campaigns and no broker, unless ``env`` says otherwise."""
    write_definitions(tmp_path / "campaigns")
    down = {"AJO_BROKER_URL": f"amqp://ada:hunter2@127.0.0.1:{free_port()}/"}

    def run(*arguments: str | Path, env: dict[str, str] | None = None, **more: Any) -> Finished:
        done = run_cli("trigger", *arguments, env={**down, **(env or {})}, **more)
        for text in (done.out, done.err):
            assert "example.com" not in text, "an address was printed"
            assert "hunter2" not in text
            assert "Traceback" not in text
        return done

    return run


@pytest.fixture
def broker(broker_url: str, queue_prefix: str) -> dict[str, str]:
    """The environment for a broker that is there."""
    return {"AJO_BROKER_URL": broker_url, "AJO_QUEUE_PREFIX": queue_prefix, "AJO_PRODUCER": "shop"}


def queued(env: dict[str, str], lane: str = "standard") -> list[Trigger]:
    """The triggers of a lane's queue, taken out."""
    messages = take(env["AJO_BROKER_URL"], f"{env['AJO_QUEUE_PREFIX']}.{lane}")
    return [decode_trigger(raw) for message in messages for raw in decode_body(as_bytes(message.body)).triggers]


def receipts(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_one_trigger_is_published_and_its_request_id_printed(trigger: Run, broker: dict[str, str]) -> None:
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


def test_every_option_of_one_trigger_travels(trigger: Run, broker: dict[str, str]) -> None:
    options = ["--user-id", "u-1", "--profile", "firstName=Ada", "--context", "customer.tier=a=b"]
    options += ["--context", 'lines=[{"sku": 1}]', "--channel-data", "emailAddress=other@example.com"]
    options += ["--key", "A-1", "--occurred-at", "2026-11-01T09:00:00+01:00", "--trace-id", "t-1"]
    ids = [trigger("order-shipped", *GOOD, *options, "--expires-in", "3600", env=broker).out for _ in range(2)]
    [found, again] = queued(broker)
    assert ids == ["01a1961f-5c00-73fe-a636-947fdb6ac011\n"] * 2
    assert found.request_id == again.request_id
    [recipient] = found.recipients
    assert recipient.user_id == "u-1"
    assert recipient.channel_data == {"emailAddress": "other@example.com"}
    assert recipient.profile == {"firstName": "Ada"}
    assert recipient.context["customer"] == {"tier": "a=b"}
    assert recipient.context["lines"] == [{"sku": 1}]
    assert (found.trace_id, found.occurred_at) == ("t-1", datetime(2026, 11, 1, 8, tzinfo=UTC))
    assert found.expires_at is not None


def test_everything_wrong_with_one_trigger_is_told_at_once_by_path(trigger: Run) -> None:
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
        "  occurred_at must be a time with its zone, such as 2026-11-01T08:00:00Z",
        *(line for line in done.err.splitlines() if "it has expired already, at " in line),
    }
    assert "it has expired already" in done.err


def test_a_dry_run_needs_no_broker_and_publishes_nothing(trigger: Run, tmp_path: Path) -> None:
    done = trigger("order-shipped", *GOOD, "--dry-run")
    assert (done.code, done.out) == (0, "order-shipped takes this trigger; nothing was published (dry run)\n")
    done = trigger("order-shipped", *GOOD, "--dry-run", "--json")
    assert json.loads(done.out) == {"valid": True, "campaign": "order-shipped"}
    (tmp_path / "t.csv").write_text(CSV, encoding="utf-8")
    done = trigger("order-shipped", "--from", "t.csv", "--dry-run")
    assert done.code == 1
    assert done.out == "order-shipped: 3 of 6 valid, 3 refused; nothing was published (dry run)\n"


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize("way", ["file", "standard input"])
def test_good_lines_go_out_and_the_others_are_named_by_number(
    kind: str, way: str, trigger: Run, broker: dict[str, str], tmp_path: Path
) -> None:
    text = {"csv": "\N{BYTE ORDER MARK}" + CSV, "jsonl": JSONL}[kind]
    if way == "file":
        (tmp_path / f"t.{kind}").write_text(text, encoding="utf-8")
        done = trigger("order-shipped", "--from", f"t.{kind}", "--receipts", "r.jsonl", env=broker)
    else:
        arguments = ("--from", "-", "--format", kind, "--receipts", "r.jsonl")
        done = trigger("order-shipped", *arguments, env=broker, input=text)
    assert done.code == 1
    assert done.out == "order-shipped: 3 of 6 confirmed, 3 refused, 0 not confirmed\n"
    assert done.err.splitlines() == [f"line {n}: {'; '.join(problems)}" for n, problems in REFUSED[kind].items()]

    rows = receipts(tmp_path / "r.jsonl")
    assert {row["line"]: row["problems"] for row in rows if not row["confirmed"]} == REFUSED[kind]
    confirmed = {row["line"]: row["request_id"] for row in rows if row["confirmed"]}
    assert sorted(confirmed) == CONFIRMED[kind]
    found = {str(one.request_id): one for one in queued(broker)}
    assert set(found) == set(confirmed.values())
    contexts = [found[confirmed[line]].recipients[0].context for line in CONFIRMED[kind]]
    assert [context["orderId"] for context in contexts] == ["A-1", "A\n3", "A-6"]
    assert contexts[0]["lines"] == [1, "two"]


def test_json_has_the_same_facts(trigger: Run, broker: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CSV, encoding="utf-8")
    done = trigger("order-shipped", "--from", "t.csv", "--json", env=broker)
    assert (done.code, done.err) == (1, "")
    assert json.loads(done.out) == {
        "campaign": "order-shipped",
        "dry_run": False,
        "read": 6,
        "confirmed": 3,
        "refused": 3,
        "unconfirmed": 0,
        "unconfirmed_lines": [],
        "error": None,
        "refused_lines": [{"line": line, "problems": problems} for line, problems in REFUSED["csv"].items()],
    }


def test_many_lines_go_out_in_batches_and_the_end_is_0(trigger: Run, broker: dict[str, str], tmp_path: Path) -> None:
    lines = ["to,context.orderId", *(f"p{n}@example.com,A-{n}" for n in range(1000))]
    (tmp_path / "t.csv").write_text("\r\n".join(lines), encoding="utf-8")
    options = ("--batch-size", "300", "--expires-in", "600", "--receipts", "r.jsonl")
    done = trigger("order-shipped", "--from", "t.csv", *options, env=broker)
    assert (done.code, done.err) == (0, "")
    assert done.out == "order-shipped: 1,000 of 1,000 confirmed, 0 refused, 0 not confirmed\n"
    messages = take(broker["AJO_BROKER_URL"], f"{broker['AJO_QUEUE_PREFIX']}.standard")
    bodies = [decode_body(as_bytes(message.body)) for message in messages]
    assert [(len(body.triggers), body.producer) for body in bodies] == [(300, "shop")] * 3 + [(100, "shop")]
    found = [decode_trigger(raw) for body in bodies for raw in body.triggers]
    assert [row["request_id"] for row in receipts(tmp_path / "r.jsonl")] == [str(one.request_id) for one in found]
    assert all(one.expires_at for one in found)


def test_two_lines_with_one_key_are_one_trigger(trigger: Run, broker: dict[str, str], tmp_path: Path) -> None:
    lines = "".join(f'{{"to": "a@example.com", "key": "A", "context": {{"orderId": "{n}"}}}}\n' for n in range(2))
    done = trigger("order-shipped", "--from", "-", "--format", "jsonl", "--receipts", "r", env=broker, input=lines)
    assert done.code == 0
    assert [row["confirmed"] for row in receipts(tmp_path / "r")] == [True, True]
    assert len({row["request_id"] for row in receipts(tmp_path / "r")}) == 1
    assert len({one.request_id for one in queued(broker)}) == 1


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("", "standard input:1: the first line must name the columns"),
        ("to,context.orderid", "standard input:1: column context.orderid is unknown; did you mean context.orderId?"),
        ("to,to", "standard input:1: column to stands there twice"),
        ("ada@example.com,A-1", "standard input:1: a column is unknown; known: to, user_id, key,"),
    ],
)
def test_a_header_that_is_none_is_told_and_nothing_is_read(
    header: str, told: str, trigger: Run, tmp_path: Path
) -> None:
    text = f"{header}\nada@example.com,A-1\n"
    done = trigger("order-shipped", "--from", "-", "--format", "csv", "--receipts", "r", input=text)
    assert (done.code, done.out) == (1, "")
    assert told in done.err
    assert not (tmp_path / "r").exists()


def test_a_broker_that_is_down_is_told_with_what_was_not_confirmed(trigger: Run, tmp_path: Path) -> None:
    done = trigger("order-shipped", *GOOD, "--key", "A-1")
    assert (done.code, done.out) == (1, "")
    assert "error: not confirmed by amqp://127.0.0.1:" in done.err
    assert done.err.endswith("Connection refused\nnot confirmed: 00000000-0000-73fe-a636-947fdb6ac011\n")

    (tmp_path / "t.csv").write_text(CSV, encoding="utf-8")
    done = trigger("order-shipped", "--from", "t.csv", "--batch-size", "1", "--receipts", "r")
    assert done.code == 1
    assert done.out == "order-shipped: 0 of 6 confirmed, 3 refused, 3 not confirmed\n"
    assert done.err.endswith("Connection refused\nnot confirmed: lines 2, 4, 9\n")
    rows = receipts(tmp_path / "r")
    assert sorted(row["line"] for row in rows if "request_id" in row) == [2, 4, 9]
    assert not any(row["confirmed"] for row in rows)

    (tmp_path / "t.csv").write_text("to,context.orderId\n" + "ada@example.com,A\n" * 5000, encoding="utf-8")
    told = json.loads(trigger("order-shipped", "--from", "t.csv", "--json").out)
    assert "Connection refused" in told.pop("error")
    assert told["unconfirmed"] == told["read"] == 5000
    assert told["unconfirmed_lines"] == [[2, 5001]]


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
    arguments: tuple[str, ...], trigger: Run, tmp_path: Path
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
        (("order-shipped", *GOOD), {"AJO_QUEUE_PREFIX": "a b"}, "the queue prefix must be"),
        (("order-shipped", *GOOD), {"AJO_BROKER_URL": "", "AJO_BROKER_URL_FILE": "nothing"}, "AJO_BROKER_URL_FILE"),
    ],
)
def test_what_is_not_there_or_no_setting_is_told(
    arguments: tuple[str, ...], env: dict[str, str], told: str, trigger: Run
) -> None:
    done = trigger(*arguments, env=env)
    assert (done.code, done.out) == (1, "")
    assert told in done.err


def test_the_brokers_address_may_come_from_a_file(trigger: Run, broker: dict[str, str], tmp_path: Path) -> None:
    url = broker["AJO_BROKER_URL"]
    (tmp_path / "url").write_text(f"{url}\n", encoding="utf-8")
    env = {**broker, "AJO_BROKER_URL": "", "AJO_BROKER_URL_FILE": str(tmp_path / "url")}
    assert trigger("order-shipped", *GOOD, env=env).code == 0
    assert len(queued(broker)) == 1


def start(tmp_path: Path, env: dict[str, str]) -> subprocess.Popen[str]:
    """Publishing lines from standard input, message by message, with receipts in ``r``."""
    write_definitions(tmp_path / "campaigns")
    arguments = ["trigger", "order-shipped", "--from", "-", "--format", "jsonl", "--batch-size", "1", "--receipts", "r"]
    return subprocess.Popen(
        [PROGRAM, *arguments],
        env={**environment(), **PLAIN, **env},
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def feed(process: subprocess.Popen[str], count: int) -> None:
    assert process.stdin is not None
    process.stdin.write('{"to": "ada@example.com", "context": {"orderId": "A"}}\n' * count)
    process.stdin.flush()


def test_a_receipt_is_on_file_as_soon_as_its_trigger_is_confirmed(tmp_path: Path, broker: dict[str, str]) -> None:
    """Also those of a command that is killed before its end: nobody needs to publish them again."""
    with start(tmp_path, broker) as process:
        feed(process, WINDOW_MESSAGES)
        path = tmp_path / "r"
        wait_until(lambda: path.exists() and len(receipts(path)) == WINDOW_MESSAGES, what="the first window's receipts")
        process.kill()
    told = Counter(row["request_id"] for row in receipts(path) if row["confirmed"])
    assert told == Counter(str(one.request_id) for one in queued(broker))


def test_an_interrupted_command_has_a_receipt_for_every_line_and_no_traceback(
    tmp_path: Path, broker: dict[str, str]
) -> None:
    with Proxy(broker["AJO_BROKER_URL"]) as proxy:
        with start(tmp_path, {**broker, "AJO_BROKER_URL": proxy.url, "AJO_PUBLISH_TIMEOUT": "600"}) as process:
            feed(process, WINDOW_MESSAGES)
            wait_until(lambda: (tmp_path / "r").exists() and receipts(tmp_path / "r"), what="the first window")
            proxy.freeze()
            before = proxy.sent
            feed(process, WINDOW_MESSAGES)
            wait_until(lambda: proxy.sent > before, what="the second window is on its way")
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        assert process.returncode == 130
    assert "Traceback" not in err
    assert "example.com" not in err
    rows = receipts(tmp_path / "r")
    assert sorted(row["line"] for row in rows) == list(range(1, 2 * WINDOW_MESSAGES + 1))
    assert [row["confirmed"] for row in rows].count(True) == WINDOW_MESSAGES
    confirmed = {row["request_id"] for row in rows if row["confirmed"]}
    assert confirmed <= {
        str(request_id) for request_id in arrived(broker["AJO_BROKER_URL"], broker["AJO_QUEUE_PREFIX"])
    }
