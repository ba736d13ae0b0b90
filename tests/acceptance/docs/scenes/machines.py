"""Stages of a machine and a terminal: what is set there, what is wrong there."""

from kombu import Connection

from tests.acceptance.docs.place import Place
from tests.support import brokers
from tests.support.doctor import surroundings


def secrets_in_files(place: Place) -> None:
    """As Docker and Kubernetes mount them."""
    folder = place.folder / "run-secrets"
    folder.mkdir()
    (folder / "client_secret").write_text("planted", encoding="utf-8")
    place.terminal.instead["/run/secrets"] = str(folder)


def another_terminal(place: Place) -> None:
    """Nothing is set."""
    place.terminal.env = {"HOME": place.terminal.env["HOME"]}


def faulty_machine(place: Place) -> None:
    """A worker's machine with an expired certificate, a queue of another kind, a wrong password and a misspelt name."""
    broker, prefix, authority = place.rabbitmq_url(), place.settings["AJO_QUEUE_PREFIX"], place.folder / "ca.pem"
    api = place.start_simulator(None, "--tls", "--certificate", "expired", "--ca-out", str(authority))
    place.closing.callback(brokers.delete_queues, broker, prefix)
    tokens = place.start_simulator()
    place.terminal.env |= surroundings(broker, place.database_url, prefix, api, place.folder)
    with Connection(broker) as connection, connection.channel() as channel:
        channel.queue_delete(f"{prefix}.standard.urgent")
        channel.queue_declare(f"{prefix}.standard.urgent", durable=True, auto_delete=False)
    before, _, host = place.database_url.rpartition("@")
    place.terminal.env |= {
        "AJO_DATABASE_URL": f"{before.rpartition(':')[0]}:wrong@{host}",
        "AJO_CA_FILE": str(authority),
        "AJO_TOKEN_URL": tokens.token_url,
        "AJO_HASHKEY": "planted",
        "AJO_LANES": "standard",
    }
    place.terminal.instead["shop."] = f"{prefix}."
