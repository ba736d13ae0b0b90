"""A shop with FastAPI and SQLAlchemy's asynchronous sessions: an order and the message about it are one transaction.

SHOP_DATABASE_URL=postgresql+asyncpg://… uvicorn fastapi_shop:app
"""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from ajo_producers import Campaigns, outbox
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import DateTime
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

campaigns = Campaigns.load(Path(__file__).parent / "campaigns")
engine = create_async_engine(os.environ["SHOP_DATABASE_URL"])
sessions = async_sessionmaker(engine)
app = FastAPI()


class Base(DeclarativeBase):
    """The shop's tables."""


class Order(Base):
    """An order of a customer."""

    __tablename__ = "orders"
    number: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str]
    placed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Asked(BaseModel):
    """What a customer asks for."""

    number: str
    email: str
    card: str


async def transaction() -> AsyncIterator[AsyncSession]:
    """A session whose transaction is committed if the request succeeds, and rolled back if it raises."""
    async with sessions() as session, session.begin():
        yield session


Transaction = Annotated[AsyncSession, Depends(transaction, scope="function")]


async def charge(card: str) -> None:
    """Stands for what may fail after everything was written."""
    if card == "expired":
        raise HTTPException(402, "the card was refused")


@app.post("/orders", status_code=201)
async def place_order(asked: Asked, session: Transaction) -> dict[str, str]:
    """Take an order."""
    order = Order(number=asked.number, email=asked.email, placed_at=datetime.now(UTC))
    session.add(order)
    trigger = campaigns["order-shipped"].trigger(
        to=order.email, context={"orderId": order.number}, occurred_at=order.placed_at
    )
    await outbox.add(session, trigger)
    await charge(asked.card)  # if it raises, there is no order, and nobody gets a message
    return {"number": asked.number}
