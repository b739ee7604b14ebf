"""What the stand-in API tells of the past: history, availability, incidents; made up, but of the API's shapes."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

BUCKETS = {"1h": (60, 60), "24h": (600, 144), "7d": (3600, 168)}
PARTS = {
    "redis": "queue unavailable",
    "postgresql": "database unavailable",
    "workers": "worker absent",
    "telegram": "alerts undeliverable",
    "mail": "mail failing",
}
HALF_HOUR = timedelta(minutes=30)


def an_incident(
    number: int, cause: str, started: datetime, ended: datetime | None, served: int = 0, slowest: float | None = None
) -> dict[str, Any]:
    return {
        "id": number,
        "cause": cause,
        "started_at": started.isoformat(),
        "ended_at": ended.isoformat() if ended else None,
        "detail": "Connection refused",
        "served_synchronously": served,
        "slowest_seconds": slowest,
    }


def a_deploy(number: int, version: str, started: datetime, outcome: str | None = "done", **more: Any) -> dict[str, Any]:
    seconds = None if outcome is None else 49.2
    return {
        "id": number,
        "version": version,
        "previous": None,
        "started_by": "ops@build-host",
        "started_at": started.isoformat(),
        "finished_at": None if seconds is None else (started + timedelta(seconds=seconds)).isoformat(),
        "outcome": outcome,
        "reason": None,
        "seconds": seconds,
        **more,
    }


@dataclass
class Past:
    """`begun` is when the system first ran: before it nothing is known."""

    incidents: list[dict[str, Any]] = field(default_factory=list)
    switches: list[dict[str, Any]] = field(default_factory=list)
    deploys: list[dict[str, Any]] = field(default_factory=list)
    begun: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(days=30))
    busy: float = 1.0  # how much there is to see; 0 for a system that nobody uses

    def history(self, window: str) -> dict[str, Any]:
        seconds, count = BUCKETS[window]
        now = datetime.now(UTC)
        last = datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)
        times = [last - timedelta(seconds=seconds * place) for place in reversed(range(count))]
        return {
            "window": window,
            "bucket_seconds": seconds,
            "from": times[0].isoformat(),
            "to": now.isoformat(),
            "buckets": [self._bucket(at, place, seconds) for place, at in enumerate(times)],
            "outages": [
                {name: incident[name] for name in ("cause", "started_at", "ended_at")}
                for incident in self.incidents
                if incident["ended_at"] is None or incident["ended_at"] > times[0].isoformat()
            ],
            "switches": [switch for switch in self.switches if switch["at"] > times[0].isoformat()],
        }

    def _bucket(self, at: datetime, place: int, seconds: int) -> dict[str, Any]:
        row = dict.fromkeys(("async", "sync", "fallback", "failed", "p50", "p95"))
        if at < self.begun:
            return {"at": at.isoformat(), **row}
        wave = 28 + 12 * math.sin(place / 9) + 5 * math.sin(place * 1.7)
        count = max(0, round(wave * self.busy * seconds / 60))
        way = "fallback" if self._is_down(at) else "sync" if self._is_direct(at) else "async"
        p50 = round(0.7 + 0.08 * math.sin(place / 3), 3) if way == "async" else 0.31
        numbers = {"async": 0, "sync": 0, "fallback": 0, way: count, "failed": int(place == 16 and self.busy > 0)}
        times = {"p50": p50, "p95": round(p50 * 2.1 + 0.3 * math.sin(place), 3)} if count else {}
        return {"at": at.isoformat(), **row, **numbers, **times}

    def _is_down(self, at: datetime) -> bool:
        return any(
            incident["cause"] == PARTS["redis"]
            and incident["started_at"] <= (at + timedelta(seconds=59)).isoformat()
            and (incident["ended_at"] is None or at.isoformat() <= incident["ended_at"])
            for incident in self.incidents
        )

    def _is_direct(self, at: datetime) -> bool:
        before = [switch for switch in self.switches if switch["at"] <= at.isoformat()]
        return bool(before) and max(before, key=lambda switch: switch["at"])["mode"] == "sync_direct"

    def availability(self) -> dict[str, Any]:
        now = datetime.now(UTC)
        begin = now - 48 * HALF_HOUR
        spans = [(begin + place * HALF_HOUR, begin + (place + 1) * HALF_HOUR) for place in range(48)]
        return {
            "bucket_seconds": 1800,
            "from": begin.isoformat(),
            "parts": {part: [self._word(cause, *span) for span in spans] for part, cause in PARTS.items()},
            "down_seconds": {part: self._down(cause, begin, now) for part, cause in PARTS.items()},
            "outages": {part: len(self._within(cause, begin, now)) for part, cause in PARTS.items()},
        }

    def _within(self, cause: str, begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        spans = []
        for incident in self.incidents:
            started = datetime.fromisoformat(incident["started_at"])
            ended = datetime.fromisoformat(incident["ended_at"]) if incident["ended_at"] else datetime.now(UTC)
            if incident["cause"] == cause and started < end and ended > begin:
                spans.append((max(started, begin), min(ended, end)))
        return spans

    def _down(self, cause: str, begin: datetime, end: datetime) -> float:
        return sum((until - since).total_seconds() for since, until in self._within(cause, begin, end))

    def _word(self, cause: str, begin: datetime, end: datetime) -> str:
        if end < self.begun:
            return "unknown"
        down = self._down(cause, begin, end)
        return "up" if not down else "down" if down >= (end - begin).total_seconds() else "partly"

    def page(self, limit: int, before: int | None) -> dict[str, Any]:
        """Open ones first, then the latest."""
        rows = sorted(self.incidents, key=lambda row: (row["ended_at"] is not None, -row["id"]))
        rows = [row for row in rows if before is None or row["id"] < before]
        more = rows[limit - 1]["id"] if len(rows) > limit else None
        return {"incidents": rows[:limit], "next_before": more}
