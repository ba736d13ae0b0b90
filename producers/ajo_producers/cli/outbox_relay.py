"""``ajo-dispatch outbox relay``: a relay as a process, with its signals and its words."""

import asyncio
import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from ajo_producers.cli.usage import WrongUsage
from ajo_producers.contract.counted import counted
from ajo_producers.contract.stop_signals import INSISTING, stop_signals
from ajo_producers.entrance.standard_error import write_line
from ajo_producers.outbox.database import place
from ajo_producers.outbox.metrics import Metrics
from ajo_producers.outbox.relay import Relay
from ajo_producers.outbox.settings import RelaySettings, read_sealer
from ajo_producers.publishing.environment import broker_of, read_settings
from ajo_producers.publishing.errors import SettingError
from ajo_producers.publishing.publisher import Publisher

if TYPE_CHECKING:  # it brings cryptography, which only encrypted rows need
    from ajo_producers.contract.sealing import Sealer


def run_relay(settings: RelaySettings, host: str, port: int | None) -> None:
    """Relay until a signal comes.

    Raises:
        WrongUsage, typer.TyperException: a setting can't be used; the metrics' port can't be had.
    """
    try:
        publisher, sealer = Publisher.from_env(), read_sealer(os.environ)
        broker = broker_of(read_settings(os.environ).url)
    except SettingError as wrong:
        raise WrongUsage(str(wrong)) from None
    try:
        asyncio.run(_run(settings, publisher, sealer, f"{place(settings)} to {broker.shown}", host, port))
    finally:
        publisher.close()


async def _run(
    settings: RelaySettings, publisher: Publisher, sealer: "Sealer | None", way: str, host: str, port: int | None
) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    relay = Relay(settings, publisher, sealer, say, stop)
    for number in stop_signals():
        loop.add_signal_handler(number, _on_signal, stop, number in INSISTING)
    metrics = Metrics(relay)
    server = None
    if port is not None:
        try:
            server = await metrics.serve(host, port)
        except OSError as error:
            raise typer.TyperException(f"can't listen on {host}:{port}: {os.strerror(error.errno or 0)}") from None
        bound = server.sockets[0].getsockname()
        say(f"metrics at http://{bound[0]}:{bound[1]}/metrics")
    say(f"relaying {way}")
    watching = asyncio.create_task(metrics.keep_watch())
    try:
        await relay.run()
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        if server is not None:
            server.close()
    say(f"stopped, with {counted(relay.counts.published, 'trigger')} published")


def _on_signal(stop: asyncio.Event, insisting: bool) -> None:
    if not stop.is_set():
        stop.set()
        say("stopping: what is on its way gets its confirms; again cuts it off")
    elif insisting:
        say("cut off: what was on its way is published again by the next relay")
        os._exit(1)  # the publisher's thread may wait for the broker


def say(text: str) -> None:
    """A line for people, with its time, on the error stream."""
    write_line(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}")
