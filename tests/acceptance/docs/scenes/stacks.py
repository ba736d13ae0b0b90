"""Stages with a worker: what was triggered in them, and what the simulator answered."""

import os
import shutil

from ajo_local.ports import free_port
from ajo_local.wheel import PROGRAMS, site_of_postgres
from ajo_local.working_folder import make_working_folder
from ajo_producers.contract.sealing import new_key

from tests.acceptance.docs.place import Place, credentials
from tests.acceptance.docs.scenes.campaigns import ORDERS, definitions
from tests.support import programs
from tests.support.documents import ROOT, blocks
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
UNDER_WAY = "select count(*) as n from ledger.triggers where state = 'sending'"


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


def accepted(place: Place) -> None:
    """Something was triggered, and all of it is accepted."""
    wait_until(
        lambda: place.rows("select bool_and(state = 'accepted') as done from ledger.triggers")[0]["done"],
        what="all triggers are accepted",
    )


def working_folder(place: Place) -> None:
    """What ``init`` makes, and a stack as ``dev`` starts one; programs that listen take a port of our own."""
    make_working_folder(place.folder)
    place.simulator = place.start_simulator(CALM)
    place.terminal.env |= place.settings | credentials(place.simulator)
    place.terminal.env |= {"AJO_DATABASE_URL": place.database_url, "AJO_HASH_KEY": "planted"}
    place.worker = place.start_worker(place.terminal.env)
    place.terminal.instead["8469"] = str(free_port())


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
