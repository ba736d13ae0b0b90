"""Take what Journey Optimizer reports of messages: by its webhook, or from exports; and match it to triggers.

``ajo-dispatch feedback serve|import|match``
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from ajo_worker.cli.feedback.importing import import_files
from ajo_worker.cli.feedback.report import show_matched
from ajo_worker.cli.feedback.serving import serve_feedback
from ajo_worker.cli.printing import print_json
from ajo_worker.cli.progress import progress_bar
from ajo_worker.cli.running import finish, read_settings
from ajo_worker.cli.since import read_since
from ajo_worker.feedback.files import Format
from ajo_worker.feedback.matching import Matched, Rules, confirm_overtaken, make_due, match_unmatched
from ajo_worker.ledger.database import connected
from ajo_worker.ledger.ledger import PLANNER

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Take feedback of messages, and match it to triggers."
)

app.command("serve")(serve_feedback)


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", exists=True, dir_okay=False, readable=True)],
    *,
    form: Annotated[
        Format | None, typer.Option("--format", help="What the files hold, if their names don't say.")
    ] = None,
    skip_refused: Annotated[bool, typer.Option("--skip-refused", help="Refused rows are no failure.")] = False,
    limit: Annotated[int, typer.Option(min=0, max=100_000, help="Refused rows of a file that are listed.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Import exports of the message feedback dataset: CSV, JSON lines (also with gzip) or Parquet.

    Good rows are stored whatever becomes of the others, and only once however often they are imported. The exit code is
    1 if a file could not be read to its end, or a row was refused and --skip-refused is not given.
    """
    if not import_files(read_settings(), files, form, limit, as_json=as_json, skip_refused=skip_refused):
        raise typer.Exit(1)


@app.command()
def match(
    *,
    since: Annotated[str, typer.Option(metavar="DURATION", help="Feedback that came in the last 12h, 30d.")] = "30d",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look for the triggers of all feedback that has none yet, also of such as was given up.

    Workers do it by themselves for AJO_FEEDBACK_MATCH_DAYS. It also confirms triggers that ended unconfirmed after
    their feedback had come.
    """
    settings = read_settings()
    rules = Rules(timedelta(seconds=settings.feedback_window), timedelta(days=settings.feedback_match_days))
    matched = finish(_match(settings.database_url.get_secret_value(), rules, read_since(since)))
    if as_json:
        print_json({"looked_at": matched.looked_at, "kinds": dict(matched.kinds), "confirmed": matched.confirmed})
    else:
        show_matched(matched)


async def _match(url: str, rules: Rules, since: timedelta) -> Matched:
    async with connected(url, PLANNER) as connection:
        total = await make_due(connection, since)
        with progress_bar(total, "feedbacks") as progress:
            matched = await match_unmatched(connection, rules, progress=progress)
        matched.confirmed += await confirm_overtaken(connection, since)
        return matched
