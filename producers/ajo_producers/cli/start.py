"""The program ``ajo-dispatch``: where the SDK was installed without its command line, it says what brings that."""

import io
import os
import sys


def start() -> int:
    """Run the command line of this process; returns the exit code."""
    open_missing_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):  # in a terminal of Latin-1, or a file's name that is no UTF-8
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        from ajo_producers.cli.main import main  # noqa: PLC0415 - it may be missing
    except ModuleNotFoundError as error:
        if error.name not in {"rich", "typer"}:
            raise
        sys.stderr.write("error: the command line needs more packages: install ajo-producers[cli]\n")
        return 2
    return main()


def open_missing_streams() -> None:
    """Open the null device in place of each standard stream that this process was started without.

    Else whatever is opened next has its number: a broker's connection, or a file of receipts, would get what is said to
    people.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free: this one
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", errors="backslashreplace"))
