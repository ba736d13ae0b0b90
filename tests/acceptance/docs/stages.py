"""What has happened before a document's next commands: made by the real parts, as far as that is quick."""

import base64
import json
import os
import shutil
import sys
import tomllib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from ajo_local.ports import free_port
from ajo_local.wheel import PROGRAMS, site_of_postgres
from ajo_local.working_folder import make_working_folder
from ajo_producers.contract.sealing import Sealer, new_key
from kombu import Connection

from tests.support import alert_rows, brokers, programs
from tests.support.database import query
from tests.support.dead_letters import put_letter
from tests.support.doctor import surroundings
from tests.support.documents import ROOT, blocks
from tests.support.feedback_items import dataset_row, webhook_item
from tests.support.held_payloads import put_held
from tests.support.ledger_rows import accepted_after_retries, ago, put_attempt, put_trigger, put_worker
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until

ANSWERS = """
[latency]
seconds = 0.01
[[fault]]
kind = "status"
status = 400
share = 0.3
error_code = "CJMRT-000001-400"
title = "simulated fault"
[[fault]]
kind = "status"
status = 409
share = 0.35 # of 40 never less than two by chance: documents tell of several
error_code = "CJMRT-000032-409"
title = "Conflict"
"""
CALM = "[latency]\nseconds = 0.01\n"
COSMOS = CALM + '[[fault]]\nkind = "cosmos"\ncode = 4018\nshare = 1.0\n'
ORDERS = "to,key,occurred_at,context.orderId,context.customer.firstName,context.carrier\n" + "".join(
    f"ada{number}@example.com,A-{number},2026-11-29T08:00:00Z,A-{number},Ada,Swift Parcels\n" for number in range(40)
)
UNDER_WAY = "select count(*) as n from ledger.triggers where state = 'sending'"


@dataclass
class Place:
    """Where a reader of a document is: a folder, a terminal, and what runs on this machine."""

    folder: Path
    terminal: Terminal
    start_worker: Callable[..., programs.Worker]
    start_simulator: Callable[..., programs.Simulator]
    database_url: str
    settings: dict[str, str] = field(repr=False)
    closing: ExitStack
    rabbitmq_url: Callable[[], str] = field(default=str)
    known: dict[str, str] = field(default_factory=dict)
    simulator: programs.Simulator | None = None
    worker: programs.Worker | None = None

    def set(self, stage: str) -> None:
        """Set a stage by its name in a document."""
        STAGES[stage](self)

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Ask the ledger."""
        return query(self.database_url, statement, *values)

    def write(self, name: str, text: str | bytes) -> None:
        """Put a file into the folder."""
        (self.folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def definitions(place: Place) -> None:
    """The repository's campaigns, and its sample as people have copied it."""
    shutil.copytree(ROOT / "campaigns", place.folder / "campaigns", dirs_exist_ok=True)
    shutil.copy(ROOT / "campaigns/samples/order-shipped.curl", place.folder)
    place.write("orders.csv", ORDERS)


def clone(place: Place) -> None:
    """The repository as ``make`` leaves it."""
    (place.folder / ".venv").symlink_to(sys.prefix)


def copied_sample(place: Place) -> None:
    """Nothing but the sample."""
    shutil.copy(ROOT / "campaigns/samples/order-shipped.curl", place.folder)


def changed_sample(place: Place) -> None:
    """The definition was edited, and in Journey Optimizer a variable has another name."""
    definitions(place)
    sample = (ROOT / "campaigns/samples/order-shipped.curl").read_text(encoding="utf-8")
    place.write("new.curl", sample.replace("carrier", "courier"))


def bad_sample(place: Place) -> None:
    """A sample with three faults."""
    sample = (ROOT / "campaigns/samples/password-reset.curl").read_text(encoding="utf-8")
    for right, wrong in (("POST", "GET"), ('"external"', '"aep"'), ('"context": {', '"context": { "system": "x",')):
        assert right in sample
        sample = sample.replace(right, wrong)
    place.write("bad.curl", sample)


def bad_definition(place: Place) -> None:
    """A definition with two typing errors."""
    file = place.folder / "campaigns/order-shipped.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("sandbox =", "sandbx =").replace("default =", "defautl ="), encoding="utf-8")


def differing_campaigns(place: Place) -> None:
    """Adobe says something else of both campaigns."""
    definitions(place)
    ids = [
        tomllib.loads((place.folder / f"campaigns/{name}.toml").read_text(encoding="utf-8"))["campaign_id"]
        for name in ("order-shipped", "password-reset")
    ]
    simulator = place.start_simulator(
        f'[[campaign]]\nid = "{ids[0]}"\nend = 2027-01-01T00:00:00Z\nnamespace = "email"\nthroughput = "standard"\n'
        f'create_profiles = false\n[[campaign]]\nid = "{ids[1]}"\nstatus = "STOPPED"\nnamespace = "email"\n'
        'throughput = "high"\n'
    )
    place.terminal.env |= credentials(simulator)


def credentials(simulator: programs.Simulator) -> dict[str, str]:
    """The settings that lead to a simulator."""
    return {
        "AJO_BASE_URL": simulator.url,
        "AJO_TOKEN_URL": simulator.token_url,
        "AJO_CLIENT_ID": "shop",
        "AJO_CLIENT_SECRET": "planted",
    }


def stack(place: Place) -> None:
    """A worker, a simulator that refuses some calls, and 40 orders that were triggered."""
    definitions(place)
    place.simulator = place.start_simulator(ANSWERS)
    place.terminal.env |= place.settings | credentials(place.simulator)
    place.terminal.env |= {
        "AJO_DATABASE_URL": place.database_url,
        "AJO_HASH_KEY": "planted",
        "AJO_PROBE_INTERVAL": "60",
    }
    place.worker = place.start_worker(place.terminal.env)
    trigger(place, 40)


def trigger(place: Place, triggers: int) -> None:
    """Trigger some orders, and wait until all of them are at their end, or kept back."""
    before = place.rows("select count(*) as n from ledger.triggers")[0]["n"]
    lines = ORDERS.splitlines()[1 : triggers + 1]
    place.write("more.jsonl", "".join(
        f'{{"to": "{line.split(",")[0]}", "context": {{"orderId": "B", "customer": {{"firstName": "Ada"}}}}}}\n'
        for line in lines
    ))  # fmt: skip
    done = place.terminal.type("ajo-dispatch trigger order-shipped --from more.jsonl")
    assert done.code == 0, done.err

    def ended() -> bool:
        known = place.rows("select count(*) as n from ledger.triggers")[0]["n"]
        return bool(known == before + triggers and place.rows(UNDER_WAY)[0]["n"] == 0)

    wait_until(ended, what="all triggers have come to an end, or are kept back")


def cosmos(place: Place) -> None:
    """The organization's key was revoked: every call is answered so, and the lane is kept back."""
    assert place.simulator is not None
    place.simulator.play(COSMOS)
    trigger(place, 25)
    wait_until(
        lambda: place.rows("select 1 from ledger.outages where ended_at is null"), what="the outage is on record"
    )


def repaired(place: Place) -> None:
    """All is answered again."""
    assert place.simulator is not None
    place.simulator.play(CALM)


def over(place: Place) -> None:
    """The outage is over, and what was parked is sent."""
    wait_until(
        lambda: (
            place.rows("select count(*) as n from ledger.triggers where state in ('sending', 'parked')")[0]["n"] == 0
        ),
        what="nothing is parked",
    )


def letters(place: Place) -> None:
    """Dead letters, encrypted under a key."""
    place.terminal.env["AJO_PAYLOAD_KEYS"] = new_key()
    stack(place)


def new_letters(place: Place) -> None:
    """More of them."""
    assert place.simulator is not None
    place.simulator.play(ANSWERS)
    trigger(place, 40)


def hundred(place: Place) -> None:
    """A message of many triggers; its id is that of an example."""
    stack(place)
    found = place.rows("select batch_id::text from ledger.triggers limit 1")
    place.terminal.instead["01a22652-a66c-708e-807c-0e395717227f"] = found[0]["batch_id"]


def alerting(place: Place) -> None:
    """Something wrong with producers, clocks and messages."""
    url = place.database_url
    put_worker(url, hostname="node-2", clock_skew_seconds=2.4)
    alert_rows.put_many(url, 40, state="rejected", reason="invalid-payload")
    alert_rows.put_many(url, 20, state="unconfirmed", reason="budget-spent")
    alert_rows.put_outage(url, "campaign:flash-sale", "campaign-failing", ago(minutes=4))
    alert_rows.put_unread(url, ago(minutes=20))
    place.terminal.env |= {"AJO_DATABASE_URL": url}


def secrets_in_files(place: Place) -> None:
    """As Docker and Kubernetes mount them."""
    folder = place.folder / "run-secrets"
    folder.mkdir()
    (folder / "client_secret").write_text("planted", encoding="utf-8")
    place.terminal.instead["/run/secrets"] = str(folder)


def another_terminal(place: Place) -> None:
    """Nothing is set."""
    place.terminal.env = {"HOME": place.terminal.env["HOME"]}


def three_keys(place: Place) -> None:
    """Payloads under the present key, an older one that is known, one that is not, and under none."""
    known, unknown = new_key(), new_key()
    with (place.folder / "payload_keys").open("a", encoding="utf-8") as keys:
        keys.write(f"{known}\n")
    held = [Sealer.from_keys(key).seal(b"{}") for key in (known, unknown)]
    put_held(place.database_url, [*held, (None, b"{}")])
    kept = place.terminal.env["AJO_PAYLOAD_KEYS_FILE"]
    another_terminal(place)
    place.terminal.env |= {"AJO_DATABASE_URL": place.database_url, "AJO_PAYLOAD_KEYS_FILE": kept}


def two_campaigns(place: Place) -> None:
    """What was accepted after retries, what was refused, and what is under way for long."""
    url = place.database_url
    put_trigger(url, ago(seconds=183), state="sending", first_dispatched_at=ago(seconds=182.5))
    put_letter(url, campaign="flash-sale", reason="invalid-payload", status=None)
    accepted_after_retries(url)
    place.rows("update ledger.triggers set received_at = now() where execution_id = 'UMA-1234'")
    put_trigger(url, ago(seconds=9), campaign="flash-sale", state="accepted", completed_at=ago(seconds=1))
    place.terminal.env |= {"AJO_DATABASE_URL": url}


def old_days(place: Place) -> None:
    """Three days that are over for long enough."""
    place.terminal.env |= {"AJO_DATABASE_URL": place.database_url, "AJO_EVIDENCE_KEY": "planted"}
    first = datetime.now(UTC).date() - timedelta(days=7)
    place.rows("select ledger.make_partitions($1, $2)", first, first + timedelta(days=3))
    for day in range(3):
        at = datetime.combine(first, time(13), UTC) + timedelta(days=day)
        number = int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | day
        done = {"state": "accepted", "received_at": at, "first_dispatched_at": at, "completed_at": at}
        put_attempt(place.database_url, put_trigger(place.database_url, at, request_id=UUID(int=number), **done), 1, at)
        put_letter(place.database_url, ended_at=at, received_at=at, request_id=UUID(int=number + 100), status=None)


def forged(place: Place) -> None:
    """A dead letter was redriven; and somebody has moved an end, past the ledger's own record of changes."""
    done = place.terminal.type("ajo-dispatch dead redrive --all --yes --why 'the template is repaired'")
    assert done.code == 0, done.err
    move_an_end(place, timedelta(milliseconds=500))


def move_an_end(place: Place, by: timedelta) -> None:
    """Change a row, past the ledger's own record of changes."""
    place.rows(
        "with off as (select set_config('session_replication_role', 'replica', true)) "
        "update ledger.triggers set completed_at = completed_at + $1 "
        "from off where request_id = (select request_id from ledger.triggers order by 1 limit 1)",
        by,
    )


def keyless(place: Place) -> None:
    """The rows are what they were, and the auditor was not given the key."""
    move_an_end(place, timedelta(milliseconds=-500))
    del place.terminal.env["AJO_EVIDENCE_KEY"]


def faulty_machine(place: Place) -> None:
    """A worker's machine with an expired certificate, a queue of another kind, a wrong password and a misspelt name."""
    broker, prefix, authority = place.rabbitmq_url(), place.settings["AJO_QUEUE_PREFIX"], place.folder / "ca.pem"
    api = place.start_simulator(None, "--tls", "--certificate", "expired", "--ca-out", str(authority))
    place.closing.callback(brokers.delete_queues, broker, prefix)
    tokens = place.start_simulator()
    place.terminal.env |= surroundings(broker, place.database_url, prefix, api, place.folder)
    with Connection(broker) as connection, connection.channel() as channel:
        channel.queue_delete(f"{prefix}.standard.urgent")
        channel.queue_declare(f"{prefix}.standard.urgent", durable=True, auto_delete=False)
    before, _, host = place.database_url.rpartition("@")
    place.terminal.env |= {
        "AJO_DATABASE_URL": f"{before.rpartition(':')[0]}:wrong@{host}",
        "AJO_CA_FILE": str(authority),
        "AJO_TOKEN_URL": tokens.token_url,
        "AJO_HASHKEY": "planted",
        "AJO_LANES": "standard",
    }
    place.terminal.instead["shop."] = f"{prefix}."


def probed_network(place: Place) -> None:
    """A worker that has probed the ways to two endpoints, and sent something to one."""
    tokens = place.start_simulator()
    authority = place.folder / "ca.pem"
    api = place.start_simulator(ANSWERS, "--tls", "--ca-out", str(authority))
    definitions(place)
    place.terminal.env |= place.settings | credentials(api)
    place.terminal.env |= {
        "AJO_DATABASE_URL": place.database_url,
        "AJO_HASH_KEY": "planted",
        "AJO_CA_FILE": str(authority),
        "AJO_TOKEN_URL": tokens.token_url,
        "AJO_NETWORK_PROBE_SECONDS": "0.2",
    }
    place.worker = place.start_worker(place.terminal.env)
    trigger(place, 20)
    probed = "select count(distinct endpoint) as n from ledger.network_probes where first_byte_seconds is not null"
    wait_until(lambda: place.rows(probed)[0]["n"] == 2, what="both ways were probed")


def scenarios(place: Place) -> None:
    """The bad day of the page itself, and a scenario with a fault."""
    (day,) = [block for block in blocks(ROOT / "docs/simulator.md") if 'campaign = "c-limited"' in block.text][:1]
    place.write("bad-day.toml", day.text)
    place.write("oops.toml", '[[fault]]\nkind = "status"\nstatus = 503\nshare = 2.0\n')
    place.terminal.instead["8080"] = str(free_port())


def files_of_people(place: Place) -> None:
    """Orders, and addresses as a spreadsheet leaves them."""
    definitions(place)
    shutil.copy(place.folder / "campaigns/order-shipped.toml", place.folder / "campaigns/order.toml")
    addresses = ["Ada <ada@example.com>", "4.91702E+11", "#N/A", "NULL", '"ada@example.com, grace@example.com"']
    place.write("no-addresses.csv", "to,context.orderId,context.customer.firstName\n" + "".join(
        f"{address},A,Ada\n" for address in addresses
    ))  # fmt: skip
    place.terminal.env |= place.settings


def windows(place: Place) -> None:
    """A name with an umlaut, as Excel's plain CSV has it."""
    place.write("orders.csv", "to,context.orderId,context.customer.firstName\nada@example.com,A,Zoë\n".encode("cp1252"))


def receiver(place: Place) -> None:
    """A receiver of feedback that asks for a secret, and what is sent to it."""
    port = str(free_port())
    place.write("secret", "planted")
    place.write("one.json", json.dumps([webhook_item()]))
    faulty = webhook_item()
    del faulty["messageDeliveryFeedback"]["feedbackStatus"]
    place.write("two.json", json.dumps([webhook_item("delivered"), faulty]))
    place.terminal.instead["8468"] = port
    place.terminal.env |= {
        "AJO_DATABASE_URL": place.database_url,
        "AJO_FEEDBACK_SECRET": "planted",
        "AJO_HASH_KEY": "x",
    }
    done = place.terminal.type(f"ajo-dispatch feedback serve --port {port}")
    assert done.code == 0, done.err


def export(place: Place) -> None:
    """A day's export, two rows of which can't be read."""
    rows = [dataset_row() for _ in range(20)] + [dataset_row(at="soon"), dataset_row()]
    del rows[-1]["_experience"]["customerJourneyManagement"]["messageDeliveryfeedback"]["feedbackStatus"]
    place.write("feedback-2026-11-25.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))


def working_folder(place: Place) -> None:
    """What ``init`` makes, and a stack as ``dev`` starts one; programs that listen take a port of our own."""
    make_working_folder(place.folder)
    place.simulator = place.start_simulator(CALM)
    place.terminal.env |= place.settings | credentials(place.simulator)
    place.terminal.env |= {"AJO_DATABASE_URL": place.database_url, "AJO_HASH_KEY": "planted"}
    place.worker = place.start_worker(place.terminal.env)
    place.terminal.instead["8469"] = str(free_port())


def signing_intake(place: Place) -> None:
    """An intake that asks for a signature, at a port of our own, and the sender's secret."""
    port, secret = str(free_port()), f"whsec_{base64.b64encode(os.urandom(32)).decode()}"
    done = place.terminal.type(f"AJO_EVENTS_SIGNING_SECRETS={secret} ajo-dispatch events serve --port {port}")
    assert done.code == 0, done.err
    place.terminal.env["SECRET"] = secret
    place.terminal.instead["https://events.example.com"] = f"http://127.0.0.1:{port}"


def accepted(place: Place) -> None:
    """Something was triggered, and all of it is accepted."""
    wait_until(
        lambda: place.rows("select bool_and(state = 'accepted') as done from ledger.triggers")[0]["done"],
        what="all triggers are accepted",
    )


def shop(place: Place) -> None:
    """The shop of examples/, and a stack as ``dev`` starts one, with the campaign that was imported."""
    shutil.copy(ROOT / "examples/flask_shop.py", place.folder)
    (place.folder / "venv/bin").mkdir(parents=True)
    place.write("venv/bin/activate", "")
    place.simulator = place.start_simulator(CALM)
    place.terminal.env |= place.settings | credentials(place.simulator)
    place.terminal.env |= {
        "AJO_DATABASE_URL": place.database_url,
        "AJO_CAMPAIGNS": str(place.folder / "campaigns"),
        "AJO_HASH_KEY": "planted",
        "PATH": f"{programs.PROGRAM.parent}:{site_of_postgres() / PROGRAMS}:{os.environ['PATH']}",  # it has psql
    }
    place.worker = place.start_worker(place.terminal.env)
    place.terminal.instead["localhost:5000"] = f"127.0.0.1:{(port := free_port())}"
    place.terminal.env["FLASK_RUN_PORT"] = str(port)


def bad_mappings(place: Place) -> None:
    """A mapping file with a handful of typing errors."""
    place.write(
        "events.toml",
        """\
[order-shipped]
tipe = "com.example.order.shipped"
when = "!data.test.run"
to = "customer.email"

[order-shipped.context]
ordrId = "data.orderId"
"customer.firstName" = "data.customer.firstName"
eta = { from = "data.eta", mising = "skip" }
""",
    )


def three_events(place: Place) -> None:
    """A good one, one without an address, and one of a type that nobody knows; the mapping file is mended."""
    shutil.copy(ROOT / "worker/ajo_local/events.toml", place.folder)
    good = json.loads((place.folder / "event.json").read_text(encoding="utf-8"))
    customer = {"firstName": "Ada"}
    events = [
        good,
        {**good, "id": "A-1002", "data": {**good["data"], "customer": customer}},
        {**good, "id": "A-1003", "type": "com.example.order.shiped"},
    ]
    place.write("events.jsonl", "".join(f"{json.dumps(event)}\n" for event in events))
    place.write("batch.json", json.dumps(events))


STAGES: dict[str, Callable[[Place], None]] = {
    "an intake that knows a signing secret": signing_intake,
    "an empty folder": lambda _place: None,
    "a shop and its stack": shop,
    "a clone": clone,
    "a copied sample": copied_sample,
    "a changed sample": changed_sample,
    "a bad sample": bad_sample,
    "a bad definition": bad_definition,
    "campaigns that differ from Adobe's": differing_campaigns,
    "the repository's campaigns": definitions,
    "files of people": files_of_people,
    "a file of Windows": windows,
    "a stack with 40 orders": stack,
    "a stack with dead letters": letters,
    "new dead letters": new_letters,
    "a message of 100 triggers": hundred,
    "the Cosmos outage": cosmos,
    "the key is repaired": repaired,
    "nothing is parked any more": over,
    "alerts of all kinds": alerting,
    "payloads under three keys": three_keys,
    "triggers of two campaigns": two_campaigns,
    "secrets in files": secrets_in_files,
    "another terminal": another_terminal,
    "a working folder and its stack": working_folder,
    "what was triggered is accepted": accepted,
    "a mapping file with faults": bad_mappings,
    "three events": three_events,
    "the template is fixed": repaired,
    "days to be sealed": old_days,
    "rows of sealed days were changed": forged,
    "a chain whose key is not set": keyless,
    "a worker's machine with faults": faulty_machine,
    "a worker that has probed its ways": probed_network,
    "scenarios": scenarios,
    "a receiver over plain HTTP": receiver,
    "an export of feedback": export,
}


def letter(place: Place) -> UUID:
    """The newest that was rejected."""
    found = place.rows(
        "select request_id from ledger.held_payloads join ledger.triggers using (request_id) "
        "where state = 'rejected' order by completed_at desc limit 1"
    )
    return UUID(str(found[0]["request_id"]))
