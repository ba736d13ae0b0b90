"""``bare_loop.py CONCURRENCY``: the HTTP client of our attempts alone, as the limit of what a worker could reach."""

import asyncio
import json
import os
import sys

import uvloop
import work
from ajo_worker.api.adapters import make_adapter
from ajo_worker.api.answer import Call, Failure
from ajo_worker.settings import Settings


async def main(url: str, count: int, concurrency: int) -> None:
    """So many calls, so many at once."""
    bodies = list(work.bodies(count))
    print(*(body["requestId"] for body in bodies), sep="\n", flush=True)
    calls = iter([Call(url, work.HEADERS, json.dumps(body).encode()) for body in bodies])
    adapter = make_adapter(Settings())

    async def one_after_the_other() -> None:
        for call in calls:
            answer = await adapter.post(call, timeout=20)
            if isinstance(answer, Failure) or answer.status != 202:
                raise SystemExit(f"the endpoint answered {answer}")

    await asyncio.gather(*(one_after_the_other() for _ in range(concurrency)))


if __name__ == "__main__":
    uvloop.run(main(os.environ["BENCH_ENDPOINT"], int(os.environ["BENCH_COUNT"]), int(sys.argv[1])))
