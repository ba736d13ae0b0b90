"""``events consume``: events from an exchange of RabbitMQ."""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from typing import Annotated

import typer

from ajo_producers.campaigns.folder import DEFAULT_FOLDER
from ajo_producers.cli.events_loading import DEFAULT_FILE, File, load
from ajo_producers.cli.options import Folder
from ajo_producers.cli.trigger_file import publisher
from ajo_producers.cli.usage import WrongUsage
from ajo_producers.contract.broker import BrokerAddress
from ajo_producers.contract.stop_signals import stop_signals
from ajo_producers.contract.unreadable import read_past_unreadable
from ajo_producers.events.consuming import Consumer
from ajo_producers.events.queue import Binding, EventQueue
from ajo_producers.publishing.environment import broker_of, read_settings, value_of
from ajo_producers.publishing.errors import SettingError
from ajo_producers.publishing.link import LinkFailure

BROKER = "AJO_EVENTS_BROKER_URL"


def consume_events(
    exchange: Annotated[str, typer.Argument(metavar="EXCHANGE", help="The exchange that gets the events.")],
    *,
    file: File = DEFAULT_FILE,
    folder: Folder = DEFAULT_FOLDER,
    keys: Annotated[
        list[str] | None, typer.Option("--routing-key", metavar="KEY", help="Only these; repeat it. Else all (#).")
    ] = None,
    declare: Annotated[
        str | None, typer.Option(metavar="TYPE", help="Declare the exchange: topic, fanout, direct.")
    ] = None,
    queue: Annotated[str | None, typer.Option(help="The queue's name; else AJO_QUEUE_PREFIX.events.")] = None,
    prefetch: Annotated[int, typer.Option(min=1, max=10_000, help="Messages in hand at most.")] = 500,
) -> None:
    """Take CloudEvents from an exchange of RabbitMQ, over a queue of its own; until SIGTERM or Ctrl-C.

    A message is acknowledged once the triggers' broker has confirmed what it made; what can't be taken goes to the
    queue QUEUE.dead-letters. The exchange is at AJO_EVENTS_BROKER_URL, or else at AJO_BROKER_URL. Several may run.
    """
    rules = load(file, folder)
    try:
        settings, broker = read_settings(os.environ), read_events_broker(os.environ)
    except SettingError as bad:
        raise WrongUsage(str(bad)) from None
    if broker.kind != "rabbitmq":
        raise WrongUsage(f"events are consumed from RabbitMQ: set {BROKER} to amqp://USER:PASSWORD@HOST/")
    name = queue or f"{settings.queue_prefix}.events"
    binding = Binding(exchange, tuple(keys or ["#"]), declare)

    def connect() -> EventQueue:
        now = broker
        with suppress(SettingError):  # its file may have come to hold another password
            now = read_events_broker(os.environ)
        return EventQueue(now, name, binding, prefetch)

    read_past_unreadable()
    stop = threading.Event()
    for number in stop_signals():
        signal.signal(number, lambda *_: stop.set())
    first = _first(connect, broker, exchange)
    with closing(publisher()) as link:
        consumer = Consumer(connect, rules.translate, link, stop)
        print(f"consuming {name}, bound to {exchange}", flush=True)  # noqa: T201 - what is waited for
        consumer.run(first)
    typer.echo(f"{consumer.taken:,} messages acknowledged, of these {consumer.buried:,} in {first.dead}")


def read_events_broker(env: Mapping[str, str]) -> BrokerAddress:
    """The broker that has the exchange of events.

    Raises:
        SettingError: it can't be used.
    """
    return broker_of(value_of(env, BROKER) or read_settings(env).url)


def _first(connect: Callable[[], EventQueue], broker: BrokerAddress, exchange: str) -> EventQueue:
    """The first connection: what is wrong with it is told at once."""
    try:
        return connect()
    except LinkFailure as failure:
        text = f"can't consume from {broker.shown}: {failure}"
        if "NOT_FOUND" in text:
            text = f"{text}; is {exchange} the exchange's name? --declare topic makes it"
        raise typer.TyperException(text) from None
