"""The program ``ajo-dispatch``: where the SDK was installed without its command line, it says what brings that."""

import sys


def start() -> int:
    """Run the command line of this process; returns the exit code."""
    try:
        from ajo_producers.cli.main import main  # noqa: PLC0415 - it may be missing
    except ModuleNotFoundError as error:
        if error.name not in {"rich", "typer"}:
            raise
        sys.stderr.write("error: the command line needs more packages: install ajo-producers[cli]\n")
        return 2
    return main()
