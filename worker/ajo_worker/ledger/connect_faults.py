"""Why there is no connection to PostgreSQL, or none any more: for people, without a word of any row."""

import asyncpg

FAULTS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    ValueError,
)
"""Whatever connecting may meet."""
TELLING = ("08", "25", "28", "3D", "40", "53", "55", "57", "58")
"""Classes of SQLSTATE whose messages tell of connection, login, state, locks and resources, and quote no row."""


class _ToldError(OSError):
    """Its text is ``strerror`` alone."""

    def __str__(self) -> str:
        """What is wrong, and what to do."""
        return str(self.strerror)


class SessionsMixed(_ToldError):  # noqa: N818 - says what it found
    """A pooler in between gives each transaction another session; ``strerror`` says what to set."""

    def __init__(self) -> None:
        super().__init__(
            None,
            "a pooler in between (such as pgbouncer) mixes up sessions: set pool_mode = session for this database in "
            "pgbouncer.ini, or name PostgreSQL itself in AJO_DATABASE_URL",
        )


class NoHost(_ToldError):  # noqa: N818 - says what it found
    """None of several hosts will do; ``strerror`` has the reason of each."""


class NoSession(_ToldError, TimeoutError):  # noqa: N818 - says what it found
    """A connection was taken, and not a word came over it; ``strerror`` says what that may be."""

    def __init__(self) -> None:
        super().__init__(
            None,
            "it takes connections and answers nothing; if there is a pooler in between (such as pgbouncer), all of its "
            "connections to PostgreSQL are taken: raise its default_pool_size",
        )


class WrongEncoding(_ToldError):  # noqa: N818 - says what it found
    """The database can't hold the texts of all languages; ``strerror`` says which encoding it has."""

    def __init__(self, encoding: str) -> None:
        super().__init__(
            None,
            f"its encoding is {encoding}, which lacks letters that answers may have: make a database with "
            "createdb --encoding=UTF8 --template=template0, and name that",
        )


def told(fault: BaseException) -> str:
    """A fault of the database or of the way to it, for logs: its kind, and its message where that quotes no row."""
    kind = type(fault).__name__
    if isinstance(fault, asyncpg.PostgresError):
        return f"{kind}: {fault.message or fault}" if (fault.sqlstate or "")[:2] in TELLING else kind
    return f"{kind}: {fault.strerror}" if isinstance(fault, OSError) and fault.strerror else kind


def reason_of(fault: Exception) -> str:
    """Why one of several hosts will not do, for people."""
    match fault:
        case asyncpg.TargetServerAttributeNotMatched():
            return "it takes no writes (a standby?)"
        case TimeoutError() if not fault.strerror:
            return "no answer in time"
        case ConnectionRefusedError():
            return "connection refused"
        case asyncpg.InvalidAuthorizationSpecificationError():  # also a wrong password
            return "it refuses the user or password"
    return told(fault)
