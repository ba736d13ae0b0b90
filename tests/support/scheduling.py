"""Which process of pytest-xdist gets which test."""

from typing import Any

from xdist.scheduler import LoadGroupScheduling


class Scheduling(LoadGroupScheduling):  # type: ignore[misc] # it has no types
    """As ``--dist loadgroup`` has it; what has ended is forgotten.

    Otherwise all that a process ever did is counted again after each of its tests: of 9,000 that is 10 s of CPU.
    """

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        """A test has ended, and another one may begin."""
        scope = self._split_scope(self.registered_collections[node][item_index])
        super().mark_test_complete(node, item_index, duration)
        work = self.assigned_work[node]
        if all(work[scope].values()):
            del work[scope]
