"""However outages of PostgreSQL, deaths of processes and trouble with Telegram follow each other: what Telegram is told
takes turns between CRITICAL and RESOLVED, and the last word is true.

Real PostgreSQL and Redis, with two sweeps, an API process and a clock of the test's own: each tick is half a second,
and what stands in PostgreSQL is made that much older.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Part
from hypothesis import strategies as st
from redis import Redis

from tests.resources import Resources
from tests.shared.rows import rows
from tripwire_shared.alerts import direct_alerts
from tripwire_shared.alerts.direct_alerts import DirectAlerts
from tripwire_shared.alerts.telegram import TelegramAnswer
from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.events.causes import DATABASE, INCIDENT_QUIET
from tripwire_shared.incidents.watch import Watch
from tripwire_shared.postgres.database import Connection
from tripwire_shared.timings import RESOLVED_BY_OTHERS_AFTER, TELLING_HEAD_START, WATCH_MISSES

# Each try takes a tenth of a second or more.
NO_SHRINKING = (Part.explicit, Part.generate)
TICK = 0.5
QUIET_TICKS = int((INCIDENT_QUIET + RESOLVED_BY_OTHERS_AFTER + TELLING_HEAD_START) / TICK) + 6
OLDER = """
UPDATE incidents SET opened_at = opened_at - interval '0.5 s', last_failure_at = last_failure_at - interval '0.5 s',
                     resolved_at = resolved_at - interval '0.5 s'"""


@dataclass(frozen=True)
class Phase:
    """PostgreSQL is away for some ticks, then there for some. `dies`: who is replaced by a new process, at which of
    all these ticks."""

    away: int
    there: int
    dies: str
    at: int


class FineQueue:
    def trouble(self) -> str | None:
        return None

    def answers(self) -> bool:
        return True


class World:
    def __init__(self, resources: Resources, redis_url: str) -> None:
        self.resources, self.redis = resources, Redis.from_url(redis_url)
        self.now, self.away, self.deaf = 1000.0, False, False
        self.words: list[str] = []
        self._connection = resources.database.connection
        resources.database.connection = self._maybe_connected
        self.watches = {name: self.watch(name) for name in ("sweep a", "sweep b", "api")}

    def watch(self, name: str) -> Watch:
        send = None if name == "api" else self._send
        return Watch(
            self.resources.database, self.resources.incidents, FineQueue(),
            DirectAlerts(self.redis, send, self.clock), head_start=5.0, interval=1.0, clock=self.clock,
        )  # fmt: skip

    def clock(self) -> float:
        return self.now

    def tick(self, dies: str | None) -> None:
        if dies is not None:
            self.watches[dies] = self.watch(dies)
        self.now += TICK
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(OLDER)
        for watch in self.watches.values():
            watch.look()
        if not self.away and not self.deaf:
            self._deliver()

    def _deliver(self) -> None:
        sent = "UPDATE outbox SET status = 'sent', finished_at = now() WHERE status = 'pending' RETURNING id, body"
        self.words += [row.body["type"] for row in sorted(rows(self.resources.database, sent), key=lambda row: row.id)]

    def _send(self, text: str) -> TelegramAnswer:
        if self.deaf:
            return TelegramAnswer(False, None, "away")
        self.words.append("CRITICAL" if "Type: CRITICAL" in text else "?")
        return TelegramAnswer(True, 200, "OK")

    @contextmanager
    def _maybe_connected(self) -> Iterator[Connection]:
        if self.away:
            raise DatabaseUnavailable
        with self._connection() as connection:
            yield connection

    def forget_all(self) -> None:
        self.resources.database.connection = self._connection
        rows(self.resources.database, "TRUNCATE incidents, outbox, system_health_logs RESTART IDENTITY")
        self.redis.flushdb()


phases = st.lists(
    st.builds(
        Phase,
        away=st.integers(0, 14),
        there=st.integers(1, 28),
        dies=st.sampled_from(["nobody", "sweep a", "sweep b", "api"]),
        at=st.integers(0, 40),
    ),
    min_size=1,
    max_size=4,
)


@pytest.fixture
def no_spacing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct_alerts.time, "sleep", lambda _: None)


def test_critical_and_resolved_take_turns_and_the_last_one_is_true(
    resources_for: Callable[..., Resources], redis_url: str, no_spacing: None
) -> None:
    resources = resources_for("sweep")

    @settings(
        max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, phases=NO_SHRINKING
    )
    @given(phases, st.booleans())
    def run(course: list[Phase], deaf_at_first: bool) -> None:
        world = World(resources, redis_url)
        try:
            world.deaf = deaf_at_first
            for number, phase in enumerate([*course, Phase(0, QUIET_TICKS, "nobody", 0)]):
                world.deaf = deaf_at_first and number == 0
                for tick in range(phase.away + phase.there):
                    world.away = tick < phase.away
                    world.tick(phase.dies if phase.dies in world.watches and tick == phase.at else None)
                    # A new process has seen no miss yet.
                    seen = min(tick, tick - phase.at if tick >= phase.at else tick) + 1
                    if world.away and seen > WATCH_MISSES and not deaf_at_first:
                        assert world.words[-1:] == ["CRITICAL"], world.words
            assert world.words == ["CRITICAL", "RESOLVED"] * (len(world.words) // 2), world.words
            assert rows(resources.database, "SELECT 1 FROM incidents WHERE resolved_at IS NULL") == []
            told = [row.cause for row in rows(resources.database, "SELECT cause FROM incidents")]
            assert told == [DATABASE.name] * (len(world.words) // 2)
        finally:
            world.forget_all()

    run()
