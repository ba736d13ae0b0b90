"""The root command ``ajo-dispatch``, and the convention that every command keeps.

**A command** is a module whose ``app = typer.Typer(add_completion=False)`` is named in the entry points group
``ajo_dispatch.commands``. The first line of the module's docstring is its line in ``ajo-dispatch --help``; only the
module of the command that was called is imported.

**A failure** that people should read is raised as ``typer.TyperException(text)``: printed as ``error: text`` on stderr,
exit code 1. Wrong usage is ``typer.BadParameter(text, param_hint="--name")``: exit code 2. A subclass may set
``exit_code``. Either may repeat what was given: an e-mail address in it is masked here. ``raise typer.Exit(1)`` ends
with a code and no text, for a command that has printed its findings already. Library code raises its own exceptions,
and the command turns them into these. Exceptions of the package ``click`` (Celery's command line has it; Typer does
without) have the same two attributes and are treated alike.

**Everything else** is caught here: an ``OSError`` (exit 1, with the file's name), a missing package (exit 2, with the
extra to install), Ctrl-C (130), a closed pipe (1, silently), no memory (1), and any other exception as a fault of ours
(1; its type and place but not its text, which may hold a secret; ``AJO_DEBUG=1`` shows the traceback).
"""

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from ajo_producers import __version__
from ajo_producers.cli.discovery import Root, add_commands, extra_of
from ajo_producers.contract.masking import without_repeated

PROGRAM = "ajo-dispatch"

root = typer.Typer(cls=Root, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


@root.callback()
def _root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Execute Adobe Journey Optimizer's API-triggered campaigns, reliably and with an audit of every dispatch."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command line; returns the exit code (0 done, 1 failed, 2 wrong usage, 130 interrupted)."""
    command, given = add_commands(typer.main.get_command(root)), sys.argv[1:] if arguments is None else arguments
    try:
        code = command.main(arguments, prog_name=PROGRAM, standalone_mode=False)
        if sys.stdout is not None:  # a program may be started without
            sys.stdout.flush()
    except typer.Abort:
        return _fail("aborted", 1)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _discard_unwritten()
        return 1
    except ModuleNotFoundError as error:
        extra = extra_of(error.name)
        if extra is None:
            return _show_fault(error)
        return _fail(f"this command needs the package {error.name}: install {extra}", 2)
    except OSError as error:
        _discard_unwritten()
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
        return _fail(without_repeated(text, given), 1)
    except MemoryError:
        return _fail("there is not enough memory for that", 1)
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback for a user
        return _show_error(error, given) if hasattr(error, "format_message") else _show_fault(error)
    return code if isinstance(code, int) else 0


def _show_error(error: Any, given: Sequence[str]) -> int:  # noqa: ANN401 - of Typer or click, which share no class
    context = getattr(error, "ctx", None)
    # Whatever repeats what was given may repeat a recipient in another thing's place.
    text, code = without_repeated(str(error.format_message()), given), int(error.exit_code)
    if context is not None and text:
        with suppress(OSError):
            typer.echo(context.get_usage(), err=True)
    return _fail(text, code) if text else code


def _show_fault(error: Exception) -> int:
    if os.environ.get("AJO_DEBUG"):
        traceback.print_exception(error)
    frames = traceback.extract_tb(error.__traceback__)
    frame = next((frame for frame in reversed(frames) if "ajo_" in frame.filename), frames[-1])
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    return _fail(f"unexpected {type(error).__name__} in {place}: a fault of {PROGRAM}; AJO_DEBUG=1 shows more", 1)


def _fail(text: str, code: int) -> int:
    with suppress(OSError):  # nobody reads it, or a disk is full: the code still tells
        typer.echo(f"error: {text}", err=True)
    return code


def _discard_unwritten() -> None:
    """What standard output doesn't take goes nowhere, so that Python's exit doesn't complain of it."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
