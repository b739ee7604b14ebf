"""How often something may happen: a token bucket for each of many keys, in this process."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

BUCKETS_AT_MOST = 10_000


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class RateLimit:
    """`per_second` for each key, and a burst of as many again; 0: no limit. Safe for threads.

    The keys that were seen last are remembered; a forgotten one begins with a full bucket.
    """

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._clock = per_second, clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> bool:
        """Whether this one is within the limit."""
        if not self._per_second:
            return True
        now = self._clock()
        full = 2.0 * self._per_second
        with self._lock:
            bucket = self._buckets.get(key)
            if bucket is None:
                bucket = self._buckets[key] = _Bucket(full, now)
                if len(self._buckets) > BUCKETS_AT_MOST:
                    self._buckets.popitem(last=False)
            else:
                self._buckets.move_to_end(key)
            bucket.level = min(full, bucket.level + (now - bucket.at) * self._per_second)
            bucket.at = now
            if bucket.level < 1:
                return False
            bucket.level -= 1
            return True
