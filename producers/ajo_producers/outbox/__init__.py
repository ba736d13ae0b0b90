"""Triggers within the caller's own database transaction: what is rolled back is never sent, what is committed is.

    from ajo_producers import Campaigns, outbox

    with Session(engine) as session, session.begin():
        session.add(order)
        outbox.add(session, campaigns["order-shipped"].trigger(to=order.email, context={"orderId": order.number}))

The trigger is a row of the table ``ajo_outbox`` beside the caller's own; ``ajo-dispatch outbox relay`` publishes it
after the commit. docs/outbox.md tells how to begin.
"""

from ajo_producers.outbox.adding import Outbox, add, add_many
from ajo_producers.outbox.sessions import NoTransaction
from ajo_producers.outbox.table import create_statements, drop_statements

__all__ = ["NoTransaction", "Outbox", "add", "add_many", "create_statements", "drop_statements"]
