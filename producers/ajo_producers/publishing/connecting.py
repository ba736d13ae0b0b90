"""Connecting to a broker of either kind; its client is imported then, and not before."""

from ajo_producers.contract.broker import BrokerAddress
from ajo_producers.first_use import importing
from ajo_producers.publishing.link import Deadline, Link, failures_named


def open_link(broker: BrokerAddress, deadline: Deadline) -> Link:
    """Connect to a broker.

    Raises:
        LinkFailure: the broker can't be reached, or refuses.
    """
    with failures_named():
        if broker.kind == "rabbitmq":
            with importing:
                from ajo_producers.publishing.rabbitmq import RabbitMQLink  # noqa: PLC0415 - loads the AMQP client
            return RabbitMQLink(broker, deadline)
        with importing:
            from ajo_producers.publishing.valkey import ValkeyLink  # noqa: PLC0415 - loads the Redis client
        return ValkeyLink(broker, deadline)
