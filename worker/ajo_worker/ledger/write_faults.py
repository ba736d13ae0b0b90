"""What a writer of the ledger meets: faults of a row and of the database, and why a row was not written."""

import asyncpg

# Faults of the row itself, which no repetition heals: class 22 (data) and 23 (integrity).
ROW_FAULTS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError, TypeError, OverflowError)
# Faults of the database or of the way to it. The third is how asyncpg (0.32) meets some connections that were cut.
DATABASE_FAULTS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


class WriterStopped(Exception):  # noqa: N818 - not an error: the worker is stopping
    """The row was not written, and will not be."""


class Locked(Exception):  # noqa: N818 - says what they are
    """Somebody keeps some of the rows locked; ``cut_off``: an earlier commit of theirs may have been cut off."""

    def __init__(self, text: str, *, cut_off: bool) -> None:
        super().__init__(text)
        self.cut_off = cut_off


class NoConnection(Exception):  # noqa: N818 - says what is missing
    """There is none to write on. Whatever its cause is, an address that can't be read too, it is no fault of a row."""


class RowRefused(Exception):  # noqa: N818 - named like the other ends of a row
    """The ledger can't hold the row, however often it is offered; ``writer`` names the kind of row."""

    def __init__(self, writer: str, fault: Exception) -> None:
        super().__init__(f"{writer}: {type(fault).__name__}")
        self.writer = writer
