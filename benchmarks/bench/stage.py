"""The stage of one run: a database, a queue and an endpoint of its own, workers on them, and what all of it uses."""

import os
import re
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg
from ajo_local.child import Child
from ajo_local.processes import environment

from benchmarks.bench.building import Built
from benchmarks.bench.contender import Contender, Place, Program
from benchmarks.bench.endpoint import Endpoint, Work
from benchmarks.bench.ours import ask
from benchmarks.bench.servers import SECONDS_UNTIL_EMPTY, Servers
from benchmarks.bench.usage import Usage

REQUEST_ID = re.compile(r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.MULTILINE)
GRACE_SECONDS = 30
START_SECONDS = 120
EMPTY: tuple[int, float | None] = (0, None)


class Failed(Exception):  # noqa: N818 - says what happened
    """A contender didn't do its work; the text says what, with the end of its output."""


class Stage:
    """Where one contender works."""

    def __init__(self, contender: Contender, place: Place, name: str) -> None:
        self.contender, self.place, self._database = contender, place, name
        self.env = {**environment(), **contender.environment(place)}
        self.queues = [queue.format(queue=place.queue) for queue in contender.queues]
        self.workers: list[Child] = []
        self.published: list[str] = []
        self.usage: Usage | None = None

    def publish(self, program: Program | None = None, count: int | None = None) -> list[str]:
        """Fill the queue; the request ids.

        Raises:
            Failed: the publisher did.
        """
        program = program or self.contender.publish
        if program is None:
            return []
        command = [*program, str(self.place.count if count is None else count)]
        done = subprocess.run(  # noqa: S603 - the contender's own command
            command, env=self.env, cwd=self.contender.cwd, capture_output=True, text=True, check=False
        )
        found = REQUEST_ID.findall(done.stdout)
        if done.returncode != 0 or not found:
            raise Failed(f"its publisher ended with {done.returncode}:\n{done.stderr[-800:]}")
        self.published += found
        return found

    def start(self) -> None:
        """Start the workers, and look at what they use."""
        processes = self.place.servers.processes
        for program in self.contender.work:
            cwd = self.contender.cwd
            self.workers.append(processes.start("worker", program, env=self.env, cwd=cwd, grace=GRACE_SECONDS))
        roots = {"worker": [worker.pid for worker in self.workers], "endpoint": [self.place.endpoint.child.pid]}
        self.usage = Usage(roots | self.place.servers.roots(self.contender.broker))
        self.usage.start()

    def wait_for_calls(self, count: int, *, idle: float = 30, limit: float = 600) -> None:
        """Wait until the endpoint has had so many calls; ``idle``: seconds without a new one after which to give up.

        The first one may take longer: programs start.

        Raises:
            Failed: a worker has ended, or nothing goes on.
        """
        began = moved = time.monotonic()
        last = 0
        while (calls := self.place.endpoint.stats()["calls"]) < count:
            now = time.monotonic()
            last, moved = (calls, now) if calls > last else (last, moved)
            running = all(worker.running for worker in self.workers)
            if not running and self.contender.records is not None:
                raise Failed(f"a worker has ended after {calls} of {count} calls:\n{self.output()}")
            if now - moved > (idle if last else START_SECONDS) or now - began > limit:
                raise Failed(f"{calls} of {count} calls after {now - began:.0f} s:\n{self.output()}")
            time.sleep(0.05)

    def recorded(self) -> tuple[int, float | None]:
        """How many triggers are recorded as accepted, and when the last of them was."""
        if self.contender.records is None:
            return EMPTY
        with psycopg.connect(self.place.database) as connection:
            row = connection.execute(self.contender.records.done, {"first": min(self.published)}).fetchone()
        return EMPTY if row is None else (int(row[0]), row[1])

    def recorded_ids(self) -> set[str]:
        """Which they are."""
        if self.contender.records is None:
            return set()
        with psycopg.connect(self.place.database) as connection:
            rows = connection.execute(self.contender.records.ids, {"first": min(self.published)}).fetchall()
        return {row[0] for row in rows}

    def stop(self) -> None:
        """Let the workers end in good order."""
        if self.usage is not None and self.usage.is_alive():
            self.usage.stop()
        for worker in self.workers:
            if worker.running:
                worker.popen.send_signal(worker.stop_signal)
        for worker in self.workers:  # a second signal would cut ours off
            with suppress(subprocess.TimeoutExpired):
                worker.popen.wait(GRACE_SECONDS)
            worker.kill() if worker.running else worker.stop()

    def left(self) -> int:
        """What is still queued or unacknowledged, once a broker's own count has caught up."""
        count = {"rabbitmq": self._in_rabbitmq, "valkey": self._in_valkey, "postgres": self._in_postgres}
        look: Callable[[], int] = count.get(self.contender.broker, lambda: 0)
        deadline = time.monotonic() + SECONDS_UNTIL_EMPTY
        while (left := look()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return left

    def _in_rabbitmq(self) -> int:
        return self.place.servers.left_in_rabbitmq(self.queues[:1])

    def _in_valkey(self) -> int:
        return self.place.servers.left_in_valkey(self.queues)

    def _in_postgres(self) -> int:
        if self.contender.records is None:
            return 0
        with psycopg.connect(self.place.database) as connection:
            row = connection.execute(self.contender.records.left).fetchone()
        return int(row[0]) if row else 0

    def output(self) -> str:
        """The end of what the workers printed."""
        return "\n".join(worker.tail(12) for worker in self.workers)

    def close(self) -> None:
        """Remove everything."""
        self.stop()
        self.place.endpoint.child.stop()
        if (records := self.contender.records) is not None:
            if records.remove:
                records.remove(self.place.servers, self._database)
            else:
                ask(self.place.servers.postgres.url, f"drop database if exists {self._database} with (force)")
        if self.contender.broker == "rabbitmq":
            self.place.servers.delete_from_rabbitmq(self.queues)


@contextmanager
def staged(servers: Servers, built: Built, contender: Contender, work: Work, count: int) -> Iterator[Stage]:
    """A stage with an empty queue, and no worker yet."""
    servers.empty_valkey()
    name, queue = f"bench_{secrets.token_hex(5)}", f"bench-{os.getpid()}-{secrets.token_hex(4)}"
    database = ""
    if contender.records is not None:
        contender.records.create(servers, name)
        database = servers.postgres.url_of(name)
    place = Place(servers, Endpoint(servers.processes, built.endpoint, work), database, queue, count)
    stage = Stage(contender, place, name)
    try:
        yield stage
    finally:
        stage.close()


@contextmanager
def live(servers: Servers, built: Built, contender: Contender, work: Work) -> Iterator[Stage]:
    """A stage whose workers run and have nothing to do: one trigger has been sent."""
    with staged(servers, built, contender, work, 1) as stage:
        stage.publish()
        stage.start()
        stage.wait_for_calls(1)
        yield stage
