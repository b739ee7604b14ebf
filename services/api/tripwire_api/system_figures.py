"""The figures of System Health: what Redis and PostgreSQL count. What cannot be counted is null, never 0."""

import threading
from datetime import UTC, datetime
from typing import Any

from tripwire_api.shapes import iso, iso_or_none
from tripwire_api.system_store import SystemStore
from tripwire_shared.errors import DatabaseTakesNoWrites, QueueUnavailable
from tripwire_shared.incidents.incident_history import IncidentHistory, PastIncident
from tripwire_shared.incidents.incident_store import Incident
from tripwire_shared.incidents.incidents import Incidents
from tripwire_shared.outbox.outbox import Outbox
from tripwire_shared.postgres.write_probe import WriteProbe
from tripwire_shared.queue.breaker import Breaker
from tripwire_shared.queue.request_queue import RequestQueue

COUNTED_IN_REDIS = ("waiting", "active", "scheduled", "completed", "failed", "workers")


class QueueFigures:
    """What Redis counts, and what this process counted last: so that a figure that is unknown now was known once."""

    def __init__(self, breaker: Breaker, queue: RequestQueue) -> None:
        self._breaker, self._queue = breaker, queue
        self._lock = threading.Lock()
        self._last_known: dict[str, dict[str, Any]] = {}
        self._workers_seen_at: str | None = None

    def read(self) -> dict[str, Any]:
        """Asked through the breaker: while it is open Redis is not waited for."""
        try:
            counts = self._breaker.call(self._queue.counts)
        except QueueUnavailable:
            return {"redis": "down", **dict.fromkeys(COUNTED_IN_REDIS), **self._remembered()}
        figures = {name: getattr(counts, name) for name in COUNTED_IN_REDIS}
        at = iso(datetime.now(UTC))
        with self._lock:
            self._last_known = {name: {"value": value, "at": at} for name, value in figures.items()}
            if counts.workers:
                self._workers_seen_at = at
        return {"redis": "up", **figures, **self._remembered()}

    def _remembered(self) -> dict[str, Any]:
        with self._lock:
            return {"last_known": self._last_known, "workers_seen_at": self._workers_seen_at}


class SystemFigures:
    def __init__(
        self,
        store: SystemStore,
        outbox: Outbox,
        incidents: Incidents,
        incident_history: IncidentHistory,
        breaker: Breaker,
        queue: RequestQueue,
        *,
        probe: WriteProbe,
        telegram_configured: bool,
        smtp_configured: bool,
    ) -> None:
        self._probe = probe
        self._store, self._outbox, self._incidents, self._history = store, outbox, incidents, incident_history
        self._breaker, self._queue = breaker, QueueFigures(breaker, queue)
        self._telegram_configured, self._smtp_configured = telegram_configured, smtp_configured

    def read(self) -> dict[str, Any]:
        """Raises DatabaseUnavailable."""
        waiting = self._outbox.waiting()
        figures = self._store.figures()
        open_now = self._incidents.open_now()
        last = self._history.last_resolved()
        return {
            **self._queue.read(),
            "accepted_unfinished": figures.accepted,
            "provisioned_24h": figures.provisioned_24h,
            "failed_24h": figures.failed_24h,
            "oldest_accepted_seconds": figures.oldest_accepted_seconds,
            "states": {
                "accepted": figures.accepted,
                # One customer for each: that is what provisioned means.
                "provisioned": figures.customers,
                "duplicate": figures.duplicate,
                "failed": figures.failed,
            },
            "p50_seconds": {"async": figures.p50_queued, "sync": figures.p50_direct},
            "breaker": self._breaker.state.value,
            "incident": open_incident_body(open_now[0]) if open_now else None,
            "last_incident": None if last is None else incident_body(last),
            "telegram": _state(configured=self._telegram_configured, failing=waiting.alerts_failing),
            "telegram_detail": figures.telegram_detail if waiting.alerts_failing else None,
            # Where Telegram is not configured alerts are logged, which is no sending.
            "last_alert_sent_at": iso_or_none(figures.last_alert_sent_at) if self._telegram_configured else None,
            **self._postgresql(),
            "smtp": _state(configured=self._smtp_configured, failing=waiting.mail_failing),
            "mails_waiting": waiting.mails,
            "mails_failed": figures.mails_failed,
            "alerts_waiting": waiting.alerts,
            "customers": figures.customers,
            "staff_active": figures.staff_active,
            "tokens_ending_7d": figures.tokens_ending_7d,
            "measured_at": iso(datetime.now(UTC)),
        }

    def _postgresql(self) -> dict[str, str | None]:
        """It answers; for creates it is down all the same where it takes no writes."""
        try:
            self._probe.try_write()
        except DatabaseTakesNoWrites as error:
            return {"postgresql": "down", "postgresql_detail": str(error)}
        return {"postgresql": "up", "postgresql_detail": None}


def open_incident_body(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "cause": incident.cause,
        "started_at": iso(incident.opened_at),
        "detail": incident.detail,
        "served_synchronously": incident.served_directly,
        "slowest_seconds": incident.slowest_seconds,
    }


def incident_body(incident: PastIncident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "cause": incident.cause,
        "started_at": iso(incident.started_at),
        "ended_at": iso_or_none(incident.ended_at),
        "detail": incident.detail,
        "served_synchronously": incident.served_synchronously,
        "slowest_seconds": incident.slowest_seconds,
    }


def _state(*, configured: bool, failing: bool) -> str:
    return "not_configured" if not configured else "failing" if failing else "ok"
