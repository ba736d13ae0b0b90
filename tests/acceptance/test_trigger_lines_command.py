"""``ajo-dispatch trigger --from``: the good lines of a file go out, and what becomes of each line is known."""

import json
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from ajo_producers.contract.batch import decode_body, decode_trigger
from ajo_producers.publishing.outgoing import WINDOW_MESSAGES

from tests.acceptance.trigger_command import GOOD, TriggerCommand, broker_environment, queued, receipts
from tests.integration.producers.publishing.queues import arrived, as_bytes, take
from tests.support.proxy import Proxy
from tests.support.waiting import DEADLINE_SECONDS, wait_until

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


@pytest.fixture
def trigger(tmp_path: Path) -> TriggerCommand:
    return TriggerCommand(tmp_path)


@pytest.fixture
def broker(broker_url: str, queue_prefix: str) -> dict[str, str]:
    return broker_environment(broker_url, queue_prefix)


def test_a_dry_run_needs_no_broker_and_publishes_nothing(trigger: TriggerCommand, tmp_path: Path) -> None:
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
    kind: str, way: str, trigger: TriggerCommand, broker: dict[str, str], tmp_path: Path
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


def test_json_has_the_same_facts(trigger: TriggerCommand, broker: dict[str, str], tmp_path: Path) -> None:
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


def test_many_lines_go_out_in_batches_and_the_end_is_0(
    trigger: TriggerCommand, broker: dict[str, str], tmp_path: Path
) -> None:
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


def test_two_lines_with_one_key_are_one_trigger(
    trigger: TriggerCommand, broker: dict[str, str], tmp_path: Path
) -> None:
    line = '{{"to": "a@{}", "key": "A", "context": {{"orderId": "1"}}}}\n'
    lines = line.format("example.com") + line.format("Example.COM")  # a domain's case makes no other recipient
    done = trigger("order-shipped", "--from", "-", "--format", "jsonl", "--receipts", "r", env=broker, input=lines)
    assert done.code == 0
    assert [row["confirmed"] for row in receipts(tmp_path / "r")] == [True, True]
    assert len({row["request_id"] for row in receipts(tmp_path / "r")}) == 1
    assert len({one.request_id for one in queued(broker)}) == 1


@pytest.mark.parametrize("way", ["file", "pipe"])
def test_one_key_for_two_people_is_told_before_it_is_published(
    way: str, trigger: TriggerCommand, broker: dict[str, str], tmp_path: Path
) -> None:
    text = "to;key;context.orderId\nann@example.com;A;1\nbill@example.com;A;1\nzoe@example.com;B;1\n"
    (tmp_path / "t.csv").write_bytes(text.encode("utf-16"))
    if way == "file":
        done = trigger("order-shipped", "--from", "t.csv", env=broker)
    else:
        done = trigger("order-shipped", "--from", "-", "--format", "csv", env=broker, input=text)
    assert done.code == 1
    assert "line 3: its key is also that of line 2, with another recipient or content" in done.err
    # Of a pipe, the first is on its way before the second is there.
    assert ("line 2: its key" in done.err) == (way != "pipe")
    assert len(queued(broker)) == (1 if way != "pipe" else 2)


def test_a_file_that_can_t_be_read_to_its_end_is_refused_whole(trigger: TriggerCommand, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"to,context.orderId\nada@example.com,1\nbob@example.com,M\xfcller\n")
    (tmp_path / "t.jsonl").write_text('[{"to": "ada@example.com", "context": {"orderId": "1"}},', encoding="utf-8")
    for name, told in (("t.csv", "t.csv:3: it is not UTF-8 text; if it is Windows-1252"), ("t.jsonl", "a JSON array")):
        done = trigger("order-shipped", "--from", name, "--receipts", "r")
        assert (done.code, done.out) == (1, "")
        assert told in done.err
        assert done.err.endswith("; nothing was published\n")
        assert not (tmp_path / "r").exists()


def test_numbers_go_out_as_numbers(trigger: TriggerCommand, broker: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "campaigns" / "order-shipped.toml"
    extra = '"requestPayload.aps.timestamp" = { type = "number" }\n'
    path.write_text(path.read_text(encoding="utf-8") + extra, encoding="utf-8")
    options = ("--context", "requestPayload.aps.timestamp=1790000000")
    assert trigger("order-shipped", *GOOD, *options, env=broker).code == 0
    (tmp_path / "t.csv").write_text(
        "to,context.orderId,context.requestPayload.aps.timestamp\nada@example.com,1,1790000000\n", encoding="utf-8"
    )
    assert trigger("order-shipped", "--from", "t.csv", env=broker).code == 0
    for found in queued(broker):
        assert found.recipients[0].context["requestPayload"] == {"aps": {"timestamp": 1790000000}}


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
    header: str, told: str, trigger: TriggerCommand, tmp_path: Path
) -> None:
    text = f"{header}\nada@example.com,A-1\n"
    done = trigger("order-shipped", "--from", "-", "--format", "csv", "--receipts", "r", input=text)
    assert (done.code, done.out) == (1, "")
    assert told in done.err
    assert not (tmp_path / "r").exists()


def test_a_broker_that_is_down_is_told_with_what_was_not_confirmed(trigger: TriggerCommand, tmp_path: Path) -> None:
    done = trigger("order-shipped", *GOOD, "--key", "A-1")
    assert (done.code, done.out) == (1, "")
    assert "error: not confirmed by amqp://127.0.0.1:" in done.err
    assert done.err.endswith("Connection refused\nnot confirmed: 00000000-0000-73fe-a636-947fdb6ac011\n")

    (tmp_path / "t.csv").write_text(CSV, encoding="utf-8")
    done = trigger("order-shipped", "--from", "t.csv", "--batch-size", "1", "--receipts", "r")
    assert done.code == 1
    assert done.out == "order-shipped: 0 of 6 confirmed, 3 refused, 3 not confirmed\n"
    assert "Connection refused\nnot confirmed: lines 2, 4, 9\nnone of them was sent\nto go on: " in done.err
    rows = receipts(tmp_path / "r")
    assert sorted(row["line"] for row in rows if "request_id" in row) == [2, 4, 9]
    assert [row["confirmed"] for row in rows] == [False] * 6

    (tmp_path / "t.csv").write_text("to,context.orderId\n" + "ada@example.com,A\n" * 5000, encoding="utf-8")
    told = json.loads(trigger("order-shipped", "--from", "t.csv", "--json").out)
    assert "Connection refused" in told.pop("error")
    assert told["unconfirmed"] == told["read"] == 5000
    assert told["unconfirmed_lines"] == [[2, 5001]]


def feed(process: subprocess.Popen[str], count: int) -> None:
    assert process.stdin is not None
    process.stdin.write('{"to": "ada@example.com", "context": {"orderId": "A"}}\n' * count)
    process.stdin.flush()


def waits_for_input(process: subprocess.Popen[str]) -> bool:
    """Where the kernel has put it to sleep: in reading a pipe."""
    return "pipe_read" in Path(f"/proc/{process.pid}/wchan").read_text(encoding="ascii")


def test_a_receipt_is_on_file_as_soon_as_its_trigger_is_confirmed(
    trigger: TriggerCommand, tmp_path: Path, broker: dict[str, str]
) -> None:
    """Also those of a command that is killed before its end: nobody needs to publish them again."""
    with trigger.start(broker) as process:
        feed(process, WINDOW_MESSAGES)
        path = tmp_path / "r"
        wait_until(lambda: len(receipts(path)) == WINDOW_MESSAGES, what="the first window's receipts")
        process.kill()
    told = Counter(row["request_id"] for row in receipts(path) if row["confirmed"])
    assert told == Counter(str(one.request_id) for one in queued(broker))


def test_an_interrupted_command_has_a_receipt_for_every_line_and_no_traceback(
    trigger: TriggerCommand, tmp_path: Path, broker: dict[str, str]
) -> None:
    with Proxy(broker["AJO_BROKER_URL"]) as proxy:
        with trigger.start({**broker, "AJO_BROKER_URL": proxy.url, "AJO_PUBLISH_TIMEOUT": "600"}) as process:
            feed(process, WINDOW_MESSAGES)
            wait_until(lambda: receipts(tmp_path / "r"), what="the first window")
            proxy.freeze()
            before = proxy.sent
            feed(process, WINDOW_MESSAGES)
            wait_until(lambda: proxy.sent > before, what="the second window is on its way")
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=DEADLINE_SECONDS)
        assert process.returncode == 130
    assert "Traceback" not in err
    assert "example.com" not in err
    assert f"not confirmed: lines {WINDOW_MESSAGES + 1}–{2 * WINDOW_MESSAGES}\nthey were on their way" in err
    assert "--resume r in place of --receipts r" in err
    rows = receipts(tmp_path / "r")
    assert sorted(row["line"] for row in rows) == list(range(1, 2 * WINDOW_MESSAGES + 1))
    assert Counter(row["confirmed"] for row in rows) == {True: WINDOW_MESSAGES, None: WINDOW_MESSAGES}
    confirmed = {row["request_id"] for row in rows if row["confirmed"]}
    assert confirmed <= {
        str(request_id) for request_id in arrived(broker["AJO_BROKER_URL"], broker["AJO_QUEUE_PREFIX"])
    }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_command_ends_with_what_is_on_its_way_and_goes_on_where_it_was(
    number: signal.Signals, trigger: TriggerCommand, tmp_path: Path, broker: dict[str, str]
) -> None:
    """It waits for its input when it is stopped; what it has read goes out."""
    with trigger.start(broker) as process:
        feed(process, WINDOW_MESSAGES + 2)
        wait_until(lambda: len(receipts(tmp_path / "r")) == WINDOW_MESSAGES, what="the first window's receipts")
        wait_until(lambda: waits_for_input(process), what="it has read all that there is")
        process.send_signal(number)
        assert process.wait(DEADLINE_SECONDS) == 128 + number
        assert process.stdout is not None
        assert process.stderr is not None
        out, err = process.stdout.read(), process.stderr.read()
    last = WINDOW_MESSAGES + 2
    assert out == f"order-shipped: {last} of {last} confirmed, 0 refused, 0 not confirmed\n"
    assert f"error: interrupted\nnothing after line {last} was looked at\nto go on: " in err
    assert [row["confirmed"] for row in receipts(tmp_path / "r")] == [True] * last

    whole = '{"to": "ada@example.com", "context": {"orderId": "A"}}\n' * (last + 1)
    command = ("order-shipped", "--from", "-", "--format", "jsonl")
    done = trigger(*command, "--resume", "r", env=broker, input=whole)
    assert (done.code, done.out) == (
        0,
        f"order-shipped: 1 of 1 confirmed, 0 refused, {last} left out, 0 not confirmed\n",
    )
    done = trigger(*command, "--start-line", f"{last + 1}", env=broker, input=whole)
    assert done.out == f"order-shipped: 1 of 1 confirmed, 0 refused, {last} left out, 0 not confirmed\n"
    assert len(queued(broker)) == last + 2


@pytest.mark.parametrize("missing", [False, True])
def test_what_may_have_arrived_goes_out_again_under_the_same_request_id(
    trigger: TriggerCommand, tmp_path: Path, broker: dict[str, str], *, missing: bool
) -> None:
    """Its receipt is in doubt, or missing: the command was killed before it could write it."""
    line = '{"to": "ada@example.com", "context": {"orderId": "A"}}\n'
    command = ("order-shipped", "--from", "-", "--format", "jsonl")
    done = trigger(*command, "--receipts", "r", env=broker, input=line)
    [receipt] = receipts(tmp_path / "r")
    head = (tmp_path / "r").read_text(encoding="utf-8").splitlines()[0]
    rest = [] if missing else [json.dumps({**receipt, "confirmed": None})]
    (tmp_path / "r").write_text("\n".join([head, *rest, ""]), encoding="utf-8")
    done = trigger(*command, "--resume", "r", env=broker, input=line)
    assert done.code == 0
    assert [str(one.request_id) for one in queued(broker)] == [receipt["request_id"]] * 2
