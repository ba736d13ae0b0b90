"""A Celery task with psycopg: what it writes and the message about it are one transaction.

SHOP_DATABASE_URL=postgresql://… SHOP_BROKER_URL=amqp://… celery --app celery_shop worker
"""

import os
from pathlib import Path

import psycopg
from ajo_producers import Campaigns, outbox
from celery import Celery

campaigns = Campaigns.load(Path(__file__).parent / "campaigns")
app = Celery("shop", broker=os.environ.get("SHOP_BROKER_URL", "amqp://"))

PLACE = """
    INSERT INTO orders (number, email, placed_at) VALUES (%s, %s, now())
    ON CONFLICT (number) DO UPDATE SET number = excluded.number RETURNING placed_at
"""


class PaymentRefusedError(Exception):
    """The customer's bank says no."""


def charge(card: str) -> None:
    """Stands for what may fail after everything was written."""
    if card == "expired":
        raise PaymentRefusedError


@app.task(acks_late=True, throws=(PaymentRefusedError,))
def place_order(number: str, email: str, card: str) -> str:
    """Take an order. A task that runs twice adds a trigger twice: key and time make them one message."""
    with psycopg.connect(os.environ["SHOP_DATABASE_URL"]) as connection:  # commits at its end, unless something raises
        placed_at = connection.execute(PLACE, [number, email]).fetchone()[0]
        trigger = campaigns["order-shipped"].trigger(
            to=email, context={"orderId": number}, key=number, occurred_at=placed_at
        )
        outbox.add(connection, trigger)
        charge(card)  # if it raises, there is no order, and nobody gets a message
    return number
