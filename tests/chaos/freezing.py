"""Programs that stand still for a while: their connections stay, and nothing comes over them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A program with all of its children; each of PostgreSQL's has a process group of its own."""
    parent = psutil.Process(pid)
    tree = [parent, *parent.children(recursive=True)]
    for process in tree:
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    try:
        yield
    finally:
        for process in reversed(tree):
            with suppress(psutil.NoSuchProcess):
                process.resume()
