"""``paced.py BATCH RATE SECONDS THREADS`` publishes at a steady rate; run by the checkout under test.

Prints a line a trigger: its request id, and when its publishing had returned (nanoseconds of the clock). A message of
one is published by ``publish()``.
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from ajo_producers import Campaigns, Publisher

CONTEXT = {"customer": {"firstName": "Ada", "lastName": "Lovelace"}, "note": "n" * 210}


def main() -> None:
    """Publish from several threads that share a publisher, as the threads of an application do."""
    batch, rate, seconds, threads = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    campaign = Campaigns.load(os.environ["AJO_CAMPAIGNS"])["order-shipped"]
    confirmed: list[tuple[str, int]] = []
    gap = batch * threads / rate

    def publish(thread: int, publisher: Publisher) -> None:
        turn = 0
        while (due := begin + (turn + thread / threads) * gap) < begin + seconds:
            context = {**CONTEXT, "orderId": f"A-{turn}"}
            people = (f"p{thread}-{turn}-{number}@example.com" for number in range(batch))
            triggers = [campaign.trigger(to=person, context=context) for person in people]
            time.sleep(max(0.0, due - time.perf_counter()))
            if batch == 1:
                publisher.publish(triggers[0])
            else:
                publisher.publish_many(triggers, batch_size=batch)
            now = time.time_ns()
            confirmed.extend((str(trigger.request_id), now) for trigger in triggers)
            turn += 1

    with Publisher.from_env() as publisher, ThreadPoolExecutor(threads) as pool:
        begin = time.perf_counter() + 0.5
        for each in [pool.submit(publish, number, publisher) for number in range(threads)]:
            each.result()
    for request_id, at in confirmed:
        print(request_id, at)


if __name__ == "__main__":
    main()
