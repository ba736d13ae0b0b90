"""The ledger's database: what is to be said of the facts. Pure; ``database_wire`` asks for them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import ceil, log2
from typing import NamedTuple

from ajo_producers.contract.counted import counted

from ajo_worker.doctor.check import Check, failed, ok, skipped, warning
from ajo_worker.ledger import database
from ajo_worker.ledger.partitions import LEAST_DAYS_AHEAD

DATABASE, MIGRATIONS, RIGHTS = "database", "database migrations", "database rights"
DURABILITY, PARTITIONS = "database durability", "database partitions"
CONNECTIONS, LOCKS = "database connections", "database locks"

UPGRADE = f"{database.UPGRADE} with the role that owns the schema"
GRANT = (
    "GRANT USAGE ON SCHEMA ledger and GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ledger "
    "to the role of AJO_DATABASE_URL"
)
NO_LEDGER = "there is no ledger: see database migrations"
DURABLE = ("on", "remote_apply")
LONG_LOCKED = 5.0
"""Seconds that a session may wait for a lock; workers hold theirs for milliseconds."""
LOCKS_EACH, AT_ONCE = 3, 4
"""Locks that a question about all days takes for each partition, which has indexes (a roll-up: 4,651 for 1,664), and
how many such questions there may be at the same time."""


class Room(NamedTuple):
    """Connections: how many there may be, how many there are; of the server, of our role, of our database.

    A limit is None where there is none.
    """

    server_limit: int
    server_used: int
    role_limit: int | None
    role_used: int
    database_limit: int | None
    database_used: int

    @property
    def free(self) -> int:
        """For how many more there is room."""
        pairs = (
            (self.server_limit, self.server_used),
            (self.role_limit, self.role_used),
            (self.database_limit, self.database_used),
        )
        return min(max(limit - used, 0) for limit, used in pairs if limit is not None)


class LockTable(NamedTuple):
    """PostgreSQL's room for locks: so many for each of so many sessions, which share it."""

    each: int
    sessions: int


class Blocker(NamedTuple):
    """A session that others wait for: whose it is, what it does, and how many have waited for how long."""

    pid: int
    user: str
    program: str
    state: str
    waiting: int
    seconds: float


class Rights(NamedTuple):
    """What the role may do; ``missing`` has the tables that each missing right is missing on."""

    has_schema: bool
    may_use_schema: bool
    may_make_partitions: bool
    read_only: bool
    standby: bool
    missing: Mapping[str, Sequence[str]]


def judge_migrations(found: str | None, newest: str) -> Check:
    """Whether the schema is the one that this version of ajo-dispatch writes to."""
    if found is None:
        return failed(MIGRATIONS, f"there is no ledger; the newest is {newest}", UPGRADE)
    if found != newest:
        return failed(
            MIGRATIONS,
            f"at {found}; the newest here is {newest}",
            f"{UPGRADE}; if that says that a newer version has been at work, use that one",
        )
    return ok(MIGRATIONS, f"at {found}, the newest")


def judge_rights(found: Rights) -> Check:
    """Whether a worker may write all that it has to."""
    if found.standby:
        return failed(RIGHTS, "it is a standby, which takes no writes", "point AJO_DATABASE_URL to the primary")
    if found.read_only:
        return failed(
            RIGHTS,
            "transactions are read-only by default",
            "set default_transaction_read_only off for the role, the database or the server",
        )
    if not found.has_schema:
        return skipped(RIGHTS, NO_LEDGER)
    lacking = [] if found.may_use_schema else ["USAGE on the schema"]
    lacking += _lacking_on_tables(found.missing)
    lacking += [] if found.may_make_partitions else ["EXECUTE on make_partition"]
    if lacking:
        return failed(RIGHTS, f"the role lacks in schema ledger: {'; '.join(lacking)}", GRANT)
    return ok(RIGHTS, "the role may read and write every table of schema ledger")


def judge_connections(room: Room, needed: int, pooled: int | None) -> Check:
    """Whether one more worker gets all that it needs; ``pooled``: how many of them a pooler gave at the same time."""
    free = f"a worker needs up to {needed}; {room.server_limit} are allowed, {room.server_used} in use"
    if room.free < needed:
        return warning(
            CONNECTIONS,
            f"{free}, and no more than {room.free} are free for this role and database: a further worker would wait",
            "raise max_connections, or the limit of the role or database; or stop what holds them: docs/deployment.md",
        )
    if pooled is not None and pooled < needed:
        return warning(
            CONNECTIONS,
            f"{free}; the pooler in between gives {pooled} at once: a further worker would wait",
            f"raise its default_pool_size: {needed} for each worker, and some for the commands",
        )
    return ok(CONNECTIONS, free if pooled is None else f"{free}; the pooler in between gives as many at once")


def judge_locks(blockers: Sequence[Blocker]) -> Check:
    """Whether sessions have long been waiting for another one's lock, as for that of a forgotten psql."""
    if not blockers:
        return ok(LOCKS, f"no session has waited for another one's lock for {LONG_LOCKED:g} s")
    told = (
        f"{counted(one.waiting, 'session')} for up to {one.seconds:.0f} s for process {one.pid} "
        f"({one.user}, {one.program or 'no application name'}, {one.state or 'state not visible'})"
        for one in blockers
    )
    return failed(
        LOCKS,
        f"locks are waited for: {'; '.join(told)}",
        "have that session commit or roll back, or end it: SELECT pg_terminate_backend(PID)",
    )


def judge_durability(synchronous_commit: str, fsync: str, standbys: str | None) -> Check:
    """Whether a commit is on disk when a worker goes on: no intent, no send.

    ``standbys``: what ``synchronous_standby_names`` says, where several hosts are named, so that one may be promoted.
    """
    found = f"synchronous_commit is {synchronous_commit}, fsync is {fsync}"
    if fsync != "on" or synchronous_commit not in DURABLE:
        return warning(
            DURABILITY,
            f"{found}: what a crash of the server takes back may be sent again unmarked",
            "set both on, for the server, the database and the role",
        )
    if standbys == "":
        return warning(
            DURABILITY,
            f"{found}, but commits wait for no standby: what one that is promoted lacks may be sent again unmarked",
            "set synchronous_standby_names, so that a commit is on the next primary too",
        )
    return ok(DURABILITY, found)


def judge_partitions(today: date, days: Mapping[str, Sequence[date]], room: LockTable) -> Check:
    """Whether rows find a partition of their day, and questions locks for all. ``days``: those that each table has."""
    if not days:
        return skipped(PARTITIONS, NO_LEDGER)
    advice = "run 'ajo-dispatch db upgrade', or start a worker: both make those that are missing"
    without = [table for table, has in days.items() if today not in has]
    if without:
        return failed(PARTITIONS, f"{' and '.join(without)} have none for today: rows go to the default one", advice)
    ahead = min(_days_ahead(today, has) for has in days.values())
    found = f"for today and {counted(ahead, 'day')} ahead"
    if ahead < LEAST_DAYS_AHEAD:
        return warning(PARTITIONS, found, advice)
    number = sum(map(len, days.values()))
    wanted, has_room = number * LOCKS_EACH * AT_ONCE, room.each * room.sessions
    if wanted > has_room:
        return warning(
            PARTITIONS,
            f"{found}; {number:,} in all, for which reports and roll-ups may take {wanted:,} locks: "
            f"PostgreSQL has room for {has_room:,}",
            f"set max_locks_per_transaction to {_power_of_two(wanted / room.sessions)} and restart PostgreSQL: "
            "docs/deployment.md",
        )
    return ok(PARTITIONS, found)


def _power_of_two(least: float) -> int:
    return 1 << ceil(log2(least))


def _days_ahead(today: date, has: Sequence[date]) -> int:
    """Days after today without a gap."""
    ahead = 0
    while today + timedelta(days=ahead + 1) in has:
        ahead += 1
    return ahead


def _lacking_on_tables(missing: Mapping[str, Sequence[str]]) -> list[str]:
    """Rights that are missing on the same tables stand together."""
    rights: dict[str, list[str]] = {}
    for right, tables in missing.items():
        rights.setdefault(", ".join(sorted(tables)), []).append(right)
    return [f"{', '.join(several)} on {tables}" for tables, several in rights.items()]
