"""Python's cycle collector, set for processes that turn batches into rows.

Reading 500 orders makes tens of thousands of objects that live for a moment and form no cycles. With the collector's
own thresholds it searches all of them again and again: that cost a batch of 500 six of its fifty milliseconds.
"""

import gc

YOUNG_OBJECTS = 200_000


def tune_cycle_collector() -> None:
    """Leaves what is loaded out of every search, and searches seldom. Call it once a process has loaded everything."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 100)
