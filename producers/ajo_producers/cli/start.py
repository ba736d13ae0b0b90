"""The program ``ajo-dispatch``: where the SDK was installed without its command line, it says what brings that."""

import io
import os
import sys
from typing import Any

from ajo_producers.cli.ctrl_c import end_at_once


def start() -> int:
    """Run the command line of this process; returns the exit code."""
    end_at_once()
    open_missing_streams()
    bear_with_streams()
    if not os.environ.get("COLUMNS", "1").strip("0"):  # a terminal that says so doesn't know, and gets nothing to see
        del os.environ["COLUMNS"]
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
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False))


def bear_with_streams() -> None:
    """Have no letter end a command: one that a terminal of Latin-1 lacks, or bytes that are none of UTF-8.

    And have standard output say that it is at fault, where it is: a full disk doesn't.
    """
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.platform != "win32":  # its consoles have streams of their own
        before, raw = sys.stdout, _StandardOutput(sys.stdout.fileno(), "wb", closefd=False)
        sys.stdout = io.TextIOWrapper(
            raw if before.write_through else io.BufferedWriter(raw),
            before.encoding,
            "backslashreplace",
            line_buffering=before.line_buffering,
            write_through=before.write_through,
        )


class _StandardOutput(io.FileIO):
    def write(self, data: Any, /) -> int:  # noqa: ANN401 - a buffer
        try:
            return super().write(data)
        except OSError as fault:
            fault.filename = "standard output"
            raise
