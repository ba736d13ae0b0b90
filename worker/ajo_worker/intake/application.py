"""The Celery application, made of settings."""

from typing import Any

from ajo_producers.contract.lanes import QUORUM_ARGUMENTS, TASK_NAME, queue_name, queues_of
from celery import Celery
from kombu.entity import Exchange, Queue
from kombu.transport import TRANSPORT_ALIASES

from ajo_worker.intake.events import FlowersEvents
from ajo_worker.intake.program import Program
from ajo_worker.intake.receipt import QUEUE
from ajo_worker.intake.remote_control import RemoteControl
from ajo_worker.intake.unpacking import refuse_unpacking
from ajo_worker.settings import Settings

MOST_RESTORE_SECONDS = 10.0
"""Between looks for messages that dead workers left behind in Redis or Valkey."""

ANSWER_SECONDS = 5.0
"""For how long Redis or Valkey is waited for: a connection that is half-open must not keep the hub for ever."""


class LaneQueue(Queue):  # type: ignore[misc] # kombu is typed in part
    """A queue that writes its name on what comes out of it: nothing else that a message brings is known to be true."""

    def consume(self, consumer_tag: str = "", callback: Any = None, **options: Any) -> Any:
        """Called by kombu to begin consuming."""

        def came(message: Any) -> Any:
            message.delivery_info[QUEUE] = self.name
            return callback(message)

        return super().consume(consumer_tag, came, **options)

    def queue_bind(self, *_: Any, **__: Any) -> None:
        """Nothing: Celery gives it an exchange, which nobody publishes to. Each queue is reached by its name."""


def queues(settings: Settings) -> list[Queue]:
    """The queues of this worker's lanes, declared just as the publisher declares them."""
    arguments = QUORUM_ARGUMENTS if settings.broker.kind == "rabbitmq" else None
    names = queues_of(settings.queue_prefix, settings.lanes)
    default: Any = Exchange("")
    return [LaneQueue(name, default, routing_key=name, durable=True, queue_arguments=arguments) for name in names]


def heartbeat(owner_timeout: float) -> int:
    """Seconds between AMQP's heartbeats: RabbitMQ closes a connection that missed two.

    So what a worker that is frozen, or whose machine vanished, had taken comes to others when the ledger lets them have
    it, and not minutes later (https://www.rabbitmq.com/docs/heartbeats).
    """
    return max(int(owner_timeout / 2), 1)


def make_app(settings: Settings) -> Celery:
    """The application with every setting that the design depends on."""
    # Under its own scheme, and not as ``broker_transport``: Flower tells brokers by the scheme.
    TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), "ajo_worker.intake.valkey:Transport"))
    refuse_unpacking()
    app = Celery("ajo-dispatch", set_as_current=True, events=FlowersEvents, control=RemoteControl)
    app.conf.update(
        broker_url=settings.broker.url,
        broker_connection_retry_on_startup=True,
        broker_heartbeat=heartbeat(settings.owner_timeout),
        broker_connection_max_retries=None,  # a broker that is away is waited for, however long
        broker_transport_options=_transport_options(settings),
        broker_use_ssl=settings.broker.ssl or None,
        worker_pool="ajo_worker.intake.pool:AsyncioPool",
        worker_consumer="ajo_worker.intake.consumer:QuarantiningConsumer",
        worker_concurrency=settings.prefetch,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=True,  # Flower
        worker_cancel_long_running_tasks_on_connection_loss=False,  # it would cut HTTP calls in the middle
        worker_enable_prefetch_count_reduction=False,  # redelivered copies join those in hand: they cost nothing
        worker_deduplicate_successful_tasks=False,
        worker_disable_rate_limits=True,  # what Flower sets would be held in memory, unseen
        worker_enable_soft_shutdown_on_idle=False,
        task_queues=queues(settings),
        task_default_queue=queue_name(settings.queue_prefix, settings.lanes[0]),
        task_create_missing_queues=False,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_serializer="json",
        accept_content=["json"],
        result_backend=None,
        event_queue_prefix=f"{settings.queue_prefix}.events",
        # An exclusive queue outlives a half-open connection, and its own worker is locked out of it. One that is not
        # durable stays dead after its virtual host was restarted, and can't be declared again. Both expire.
        control_queue_exclusive=False,
        control_queue_durable=True,
        event_queue_exclusive=False,
        event_queue_durable=True,
        enable_utc=True,
    )
    app.Worker = app.subclass_with_self(Program, name="Worker")
    app.task(name=TASK_NAME)(_never_called)
    return app


def _transport_options(settings: Settings) -> dict[str, Any]:
    if settings.broker.kind == "rabbitmq":
        return {}  # nothing that a worker publishes is worth waiting for a confirm
    return {
        "visibility_timeout": settings.visibility_timeout,
        "unacked_key": f"{settings.queue_prefix}.unacked",
        "unacked_index_key": f"{settings.queue_prefix}.unacked.index",
        "unacked_restore_interval": min(settings.visibility_timeout / 10, MOST_RESTORE_SECONDS),
        "priority_steps": [0],  # one list a queue: a lane is what has priority
        "socket_keepalive": True,
        "socket_timeout": ANSWER_SECONDS,
        "socket_connect_timeout": ANSWER_SECONDS,
        "health_check_interval": 10,
    }


def _never_called(*_: object) -> None:
    """The pool hands messages to the dispatcher; another pool (``-P``) must not pretend to have sent anything."""
    raise RuntimeError("ajo.dispatch runs on ajo_worker.intake.pool only: start the worker without -P")
