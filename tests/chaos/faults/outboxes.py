"""Fault 13: an application's transactions, two relays of its outbox, and everything that they stand on taken away."""

import secrets
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from ajo_local.child import Child
from ajo_producers import Campaigns, CheckedTrigger
from ajo_producers.contract.sealing import new_key
from ajo_producers.outbox import Outbox, create_statements

from tests.chaos.plan import fault
from tests.chaos.run import Run
from tests.chaos.stream import CAMPAIGNS, PLANTED_DOMAIN
from tests.support.database import query
from tests.support.programs import PROGRAM
from tests.support.waiting import wait_until

RELAYS = 2
SEVERAL = 20
"""Triggers of a transaction; every third transaction is rolled back."""
PAUSE_SECONDS = 0.05
PATIENCE = 120.0
SHOP = "create table orders (number text primary key)"


class Application(threading.Thread):
    """Takes orders, each with its trigger in the same transaction, until ``over`` is set.

    ``committed`` are the ids of triggers whose commit was answered; of the others in ``perhaps`` nobody knows.
    """

    def __init__(self, url: str, run: Run, keys: str) -> None:
        super().__init__(name="application", daemon=True)
        self._url = url
        self._campaigns = Campaigns.load(run.folder / "campaigns")
        self._box = Outbox(keys=keys)
        self._run = run
        self.over = threading.Event()
        self.committed: set[str] = set()
        self.perhaps: set[str] = set()
        self.rolled_back: set[str] = set()

    def run(self) -> None:
        """Go on through whatever the database does."""
        number = 0
        while not self.over.wait(PAUSE_SECONDS):
            number += 1
            several = [self._trigger(f"{number}-{part}") for part in range(SEVERAL)]
            ids = {str(each.request_id) for each in several}
            if number % 3 == 0:
                self.rolled_back |= ids
            else:
                self.perhaps |= ids
                self._run.stream.offered |= ids  # before it can come to anybody
            try:
                with psycopg.connect(self._url) as connection:
                    connection.execute("insert into orders values (%s)", [str(number)])
                    self._box.add_many(connection, several)
                    if number % 3 == 0:
                        connection.rollback()
            except psycopg.Error:
                continue
            if number % 3:
                self.committed |= ids

    def _trigger(self, number: str) -> CheckedTrigger:
        campaign = self._campaigns[CAMPAIGNS[len(number) % 2]]
        return campaign.trigger(to=f"customer{number}@{PLANTED_DOMAIN}", context={"orderId": number})


@fault(
    "outbox-everything-away",
    13,
    "of two relays of an outbox one is killed, three times; its database is restarted; the broker is killed",
    duplicates=False,
    count=500,
    alone=True,
)
def everything_away(run: Run) -> None:
    keys = new_key()
    with _shop(run) as url:
        env = {**run.env, "AJO_OUTBOX_URL": url, "AJO_OUTBOX_KEYS": keys, "AJO_PUBLISH_TIMEOUT": "3"}
        application = Application(url, run, keys)
        relays = [_start_relay(run, env) for _ in range(RELAYS)]
        application.start()
        for _ in range(3):
            wait_until(lambda: _waits(url), what="something waits in the outbox", timeout=PATIENCE)
            relays.pop(0).kill()
            run.hold(run.chance.uniform(0.2, 1))
            relays.append(_start_relay(run, env))
        run.postgres.stop()
        run.hold(run.chance.uniform(0.5, 2))
        run.postgres.start()
        run.hold(1)
        run.broker.kill()
        run.hold(2)
        run.broker.start()
        run.hold(1)
        application.over.set()
        application.join()
        wait_until(lambda: not _waits(url), what="the outbox is empty", timeout=PATIENCE)
        codes = [relay.stop() for relay in relays]
        if any(codes):
            raise AssertionError(f"relays ended with {codes}")
        run.stream.confirmed |= application.committed
        if not (application.committed and application.rolled_back):
            raise AssertionError("the application did nothing")
    run.quiet()
    rows = {str(row["request_id"]) for row in run.query("select request_id from ledger.triggers")}
    if sent := application.rolled_back & rows:
        raise AssertionError(f"{len(sent)} triggers of transactions that were rolled back were sent")


def _start_relay(run: Run, env: dict[str, str]) -> Child:
    command = [str(PROGRAM), "outbox", "relay"]
    relay = run.processes.start("relay", command, env=env, cwd=run.folder, stop_signal=signal.SIGTERM)
    relay.wait_for_output("relaying ", timeout=PATIENCE)
    return relay


def _waits(url: str) -> bool:
    return bool(query(url, "select from ajo_outbox limit 1"))


@contextmanager
def _shop(run: Run) -> Iterator[str]:
    """A database of the application's own, on the run's server."""
    name = f"shop_{secrets.token_hex(6)}"
    query(run.postgres.url, f"create database {name}")
    url = run.postgres.url_of(name)
    for statement in (*create_statements(), SHOP):
        query(url, statement)
    try:
        yield url
    finally:
        query(run.postgres.url, f"drop database {name} with (force)")
