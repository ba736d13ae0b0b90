"""Stages of what others send: feedback of Journey Optimizer, business events."""

import base64
import json
import os
import shutil

from ajo_local.ports import free_port

from tests.acceptance.docs.place import Place
from tests.support.bad_mappings import BAD
from tests.support.documents import ROOT
from tests.support.feedback_items import dataset_row, webhook_item


def receiver(place: Place) -> None:
    """A receiver of feedback that asks for a secret, and what is sent to it."""
    port = str(free_port())
    place.write("secret", "planted")
    place.write("one.json", json.dumps([webhook_item()]))
    faulty = webhook_item()
    del faulty["messageDeliveryFeedback"]["feedbackStatus"]
    place.write("two.json", json.dumps([webhook_item("delivered"), faulty]))
    place.terminal.instead["8468"] = port
    place.terminal.env |= {
        "AJO_DATABASE_URL": place.database_url,
        "AJO_FEEDBACK_SECRET": "planted",
        "AJO_HASH_KEY": "x",
    }
    done = place.terminal.type(f"ajo-dispatch feedback serve --port {port}")
    assert done.code == 0, done.err


def export(place: Place) -> None:
    """A day's export, two rows of which can't be read."""
    rows = [dataset_row() for _ in range(20)] + [dataset_row(at="soon"), dataset_row()]
    del rows[-1]["_experience"]["customerJourneyManagement"]["messageDeliveryfeedback"]["feedbackStatus"]
    place.write("feedback-2026-11-25.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))


def signing_intake(place: Place) -> None:
    """An intake that asks for a signature, at a port of our own, and the sender's secret."""
    port, secret = str(free_port()), f"whsec_{base64.b64encode(os.urandom(32)).decode()}"
    done = place.terminal.type(f"AJO_EVENTS_SIGNING_SECRETS={secret} ajo-dispatch events serve --port {port}")
    assert done.code == 0, done.err
    place.terminal.env["SECRET"] = secret
    place.terminal.instead["https://events.example.com"] = f"http://127.0.0.1:{port}"


def bad_mappings(place: Place) -> None:
    """A mapping file with a handful of typing errors."""
    place.write("events.toml", BAD)


def three_events(place: Place) -> None:
    """A good one, one without an address, and one of a type that nobody knows; the mapping file is mended."""
    shutil.copy(ROOT / "worker/ajo_local/events.toml", place.folder)
    good = json.loads((place.folder / "event.json").read_text(encoding="utf-8"))
    customer = {"firstName": "Ada"}
    events = [
        good,
        {**good, "id": "A-1002", "data": {**good["data"], "customer": customer}},
        {**good, "id": "A-1003", "type": "com.example.order.shiped"},
    ]
    place.write("events.jsonl", "".join(f"{json.dumps(event)}\n" for event in events))
    place.write("batch.json", json.dumps(events))
