"""Files that programs write."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """Whatever keeps it from being written names it: by itself a full disk doesn't say of which file it is the end."""
    try:
        yield
    except OSError as fault:
        fault.filename = fault.filename or str(file)
        raise
