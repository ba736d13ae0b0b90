"""Take business events in (CloudEvents): serve, consume or read them; see which trigger what.

``ajo-dispatch events …``
"""

import typer

from ajo_producers.cli.events_consume import consume_events
from ajo_producers.cli.events_explain import check, explain
from ajo_producers.cli.events_read import read_events
from ajo_producers.cli.events_serve import serve_events

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def _events() -> None:
    """Take business events in (CloudEvents 1.0): a mapping file says which event triggers which campaign."""


app.command("serve")(serve_events)
app.command("consume")(consume_events)
app.command("read")(read_events)
app.command("check")(check)
app.command("test")(explain)
