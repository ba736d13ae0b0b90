"""``publish.py BATCH COUNT`` fills a queue of ours, and prints the request ids; run by the checkout under test.

A batch of 1 is a message a trigger, one of 0 is ``publish()``, one by one.
"""

import os
import sys
from collections.abc import Iterator

from ajo_producers import Campaigns, CheckedTrigger, Publisher


def triggers(count: int) -> Iterator[CheckedTrigger]:
    """So many, each to somebody else: the body of the peers' ``work.py``."""
    campaign = Campaigns.load(os.environ["AJO_CAMPAIGNS"])["order-shipped"]
    for number in range(count):
        context = {
            "orderId": f"A-{number:07d}",
            "customer": {"firstName": "Ada", "lastName": "Lovelace"},
            "note": "n" * 210,
        }
        yield campaign.trigger(to=f"person{number}@example.com", context=context)


def main() -> None:
    """Publish with confirms."""
    batch, several = int(sys.argv[1]), list(triggers(int(sys.argv[2])))
    with Publisher.from_env() as publisher:
        if batch:
            publisher.publish_many(several, batch_size=batch)
        else:
            for trigger in several:
                publisher.publish(trigger)
    print(*(trigger.request_id for trigger in several), sep="\n")


if __name__ == "__main__":
    main()
