"""What waits in the broker where no worker looks into it: then the command asks by itself."""

from ajo_producers.contract.lanes import lane_of, queues_of
from msgspec import structs

from ajo_worker.queues.lengths import QueueLengths
from ajo_worker.settings import Settings
from ajo_worker.settings.source import source_of
from ajo_worker.views.backlog import Backlog, Queue

NOT_SET = "AJO_BROKER_URL is not set here, so it can't be asked"


def unasked(fault: OSError) -> str:
    """Why what waits in the broker is not known."""
    return f"the broker can't be asked: {fault}"


def complete(found: Backlog, settings: Settings) -> Backlog:
    """With what the broker says, unless a worker has looked of late; ``unseen`` tells why it is not known."""
    if found.fresh:
        return found
    if source_of("broker_url") == "default":
        return structs.replace(found, unseen=NOT_SET)
    asking = QueueLengths(settings.broker)
    try:
        lengths = asking.of(queues_of(settings.queue_prefix))
    except OSError as fault:
        return structs.replace(found, unseen=unasked(fault))
    finally:
        asking.close()
    return with_lengths(found, lengths)


def with_lengths(found: Backlog, lengths: dict[str, int]) -> Backlog:
    """With so many messages in each of these queues, as of now. Pure."""
    known = {one.queue: one for one in found.queues}
    for queue, messages in lengths.items():
        unopened, workers = (known[queue].unopened, known[queue].workers) if queue in known else (0, None)
        known[queue] = Queue(queue, lane_of(queue), found.at, messages, unopened, None, workers)
    return structs.replace(found, queues=[known[queue] for queue in sorted(known)])
