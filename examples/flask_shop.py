"""A shop with Flask and SQLAlchemy: an order and the message about it are one transaction.

SHOP_DATABASE_URL=postgresql+psycopg://… flask --app flask_shop run
"""

import os
from datetime import UTC, datetime
from pathlib import Path

from ajo_producers import Campaigns, outbox
from flask import Flask, request
from sqlalchemy import DateTime, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

campaigns = Campaigns.load(Path(__file__).parent / "campaigns")
engine = create_engine(os.environ["SHOP_DATABASE_URL"])
app = Flask(__name__)


class Base(DeclarativeBase):
    """The shop's tables."""


class Order(Base):
    """An order of a customer."""

    __tablename__ = "orders"
    number: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str]
    placed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class PaymentRefusedError(Exception):
    """The customer's bank says no."""


def charge(order: Order, card: str) -> None:
    """Stands for what may fail after everything was written."""
    if card == "expired":
        raise PaymentRefusedError(order.number)


@app.post("/orders")
def place_order() -> tuple[dict[str, str], int]:
    """Take an order."""
    asked = request.get_json()
    with Session(engine) as session, session.begin():
        order = Order(number=asked["number"], email=asked["email"], placed_at=datetime.now(UTC))
        session.add(order)
        trigger = campaigns["order-shipped"].trigger(
            to=order.email, context={"orderId": order.number}, occurred_at=order.placed_at
        )
        outbox.add(session, trigger)
        charge(order, asked["card"])  # if it raises, there is no order, and nobody gets a message
    return {"number": asked["number"]}, 201


@app.errorhandler(PaymentRefusedError)
def payment_refused(_error: PaymentRefusedError) -> tuple[dict[str, str], int]:
    """Tell the customer."""
    return {"error": "the card was refused"}, 402


@app.cli.command("create-tables")
def create_tables() -> None:
    """Make the shop's own tables; the outbox's comes by ``ajo-dispatch outbox sql``."""
    Base.metadata.create_all(engine)
