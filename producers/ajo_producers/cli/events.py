"""Take business events in (CloudEvents): serve, consume or read them; see which trigger what.

``ajo-dispatch events …``
"""

import typer

from ajo_producers.cli import events_explain

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def _events() -> None:
    """Take business events in (CloudEvents 1.0): a mapping file says which event triggers which campaign."""


app.command("check")(events_explain.check)
app.command("test")(events_explain.explain)
