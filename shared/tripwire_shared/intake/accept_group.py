"""How requests get in: those that come at the same moment share one commit in PostgreSQL and one pipeline to Redis."""

from collections.abc import Sequence
from enum import Enum

from tripwire_shared.answers.vocabulary import RequestMode
from tripwire_shared.errors import DatabaseUnavailable, QueueUnavailable, StatementEnded
from tripwire_shared.grouped_calls import GroupedCalls, WaitedTooLong
from tripwire_shared.postgres.database import StatementTooSlow, time_left
from tripwire_shared.queue.breaker import Breaker
from tripwire_shared.queue.request_queue import RequestQueue
from tripwire_shared.requests.request_store import NewRequest, RequestStore
from tripwire_shared.timings import API_REQUEST_BUDGET

# More share little: of six in a group each costs PostgreSQL a third of one alone, of 32 a sixth. And lock waits and the
# statement itself stay short.
GROUP_AT_MOST = 32


class Entry(Enum):
    """What became of a request on its way in."""

    QUEUED = "stored, and its id is in the queue"
    STORED = "stored; the queue was not asked, or failed"
    REFUSED = "somebody has the e-mail or the key; perhaps this very request, whose first answer was lost"


class AcceptGroup:
    """Safe for threads. Raises DatabaseUnavailable; psycopg2's errors where a constraint refused this very row."""

    def __init__(self, store: RequestStore, breaker: Breaker, queue: RequestQueue) -> None:
        self._store, self._breaker, self._queue = store, breaker, queue
        self._calls = GroupedCalls(
            self._take_in, at_most=GROUP_AT_MOST, hits_all=_is_outage, before_waiting=store.refuse_while_silent
        )

    def take_in(self, new: NewRequest) -> Entry:
        """Stores the request and, where its mode says so, queues it: alone, or with those that come meanwhile."""
        left = time_left()
        try:
            return self._calls.call(new, API_REQUEST_BUDGET if left is None else left)
        except WaitedTooLong:
            raise StatementTooSlow from None

    def queue(self, news: Sequence[NewRequest]) -> bool:
        """Whether their ids are in the queue; where not, they may be there all the same (the answer was lost)."""
        try:
            self._breaker.call(lambda: self._queue.push([new.id for new in news]))
        except QueueUnavailable:
            return False
        return True

    def _take_in(self, news: Sequence[NewRequest]) -> list[Entry]:
        stored = self._store.accept(news)
        for_queue = [new for new in news if new.mode is RequestMode.ASYNC and new.id in stored]
        queued = {new.id for new in for_queue} if for_queue and self.queue(for_queue) else set()
        return [
            Entry.QUEUED if new.id in queued else Entry.STORED if new.id in stored else Entry.REFUSED for new in news
        ]


def _is_outage(error: Exception) -> bool:
    """Whether others would fail alike: the database is away or does not answer. Not: this one statement was ended."""
    return isinstance(error, DatabaseUnavailable) and not isinstance(error, StatementEnded)
