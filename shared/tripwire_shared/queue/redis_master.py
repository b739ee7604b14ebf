"""Which server is the master now, as the Sentinels say.

They are asked for each new connection, and nothing they said is kept: during a fail-over it would be wrong. One after
another, the one that was right last first. One whose word leads to no master is contradicted by the next one that knows
better: after an election those that did not lead it name the old master for a moment.
"""

from collections.abc import Callable, Sequence

from redis.connection import Connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from tripwire_shared.redis_address import Place


class NoMaster(RedisConnectionError):
    """No Sentinel leads to a master."""


class Master:
    """`connection` makes one to a Sentinel, which is closed after a question. `on_change` is called when another server
    is the master than the one before. Safe for threads."""

    def __init__(self, name: str, sentinels: Sequence[Place], connection: Callable[[Place], Connection]) -> None:
        self._name, self._connection = name, connection
        self._sentinels = tuple(sentinels)  # replaced whole, so that whoever walks along it is not disturbed
        self.place: Place | None = None
        self.on_change: Callable[[], None] = lambda: None

    def find(self, connect: Callable[[Place], None]) -> None:
        """Has `connect` try each place that a Sentinel names, once, until it raises no RedisError. Raises the last
        error of a place; NoMaster where none was named."""
        failed: RedisError = NoMaster("No Sentinel answers.")
        tried: set[Place] = set()
        for sentinel in self._sentinels:
            try:
                place = self._ask(sentinel)
            except RedisError as error:
                if not tried:
                    failed = NoMaster(f"No Sentinel says where the master is: {error}")
                continue
            if place in tried:
                continue
            tried.add(place)
            try:
                connect(place)
            except RedisError as error:
                failed = error
                continue
            self._found(sentinel, place)
            return
        raise failed

    def _ask(self, sentinel: Place) -> Place:
        connection = self._connection(sentinel)
        try:
            connection.send_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._name)  # type: ignore[no-untyped-call]
            answer = connection.read_response()
        finally:
            connection.disconnect()  # type: ignore[no-untyped-call]
        if not answer:
            raise NoMaster(f"a Sentinel knows no master {self._name}")
        host, port = answer
        return host.decode(), int(port)

    def _found(self, sentinel: Place, place: Place) -> None:
        self._sentinels = (sentinel, *(other for other in self._sentinels if other != sentinel))
        before, self.place = self.place, place
        if before not in (None, place):
            self.on_change()
