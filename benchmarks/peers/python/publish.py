"""``publish.py APP COUNT`` fills a peer's queue, and prints the request ids."""

import importlib
import sys

import work

several = list(work.bodies(int(sys.argv[2])))
importlib.import_module(sys.argv[1]).publish(several)
print(*(body["requestId"] for body in several), sep="\n")
