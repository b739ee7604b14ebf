"""The metrics of System Health: what Redis and PostgreSQL count. What cannot be counted is null, never 0."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tripwire_shared.answers.system import COUNTED_IN_REDIS, LastKnown, MedianSeconds, Metrics
from tripwire_shared.answers.vocabulary import BreakerState, ChannelState, RequestStatus, ServerState
from tripwire_shared.errors import DatabaseTakesNoWrites, QueueUnavailable
from tripwire_shared.incidents.incident_history import IncidentHistory
from tripwire_shared.incidents.incidents import Incidents
from tripwire_shared.metrics.provisioning_figures import ProvisioningFigures
from tripwire_shared.outbox.outbox import Outbox
from tripwire_shared.postgres.write_probe import WriteProbe
from tripwire_shared.queue.breaker import Breaker
from tripwire_shared.queue.request_queue import RequestQueue


@dataclass(frozen=True)
class QueueCounts:
    """What Redis counts, by the names of COUNTED_IN_REDIS, None while it is down; and what was known last."""

    redis: ServerState
    counts: Mapping[str, int | None]
    last_known: Mapping[str, LastKnown]
    workers_seen_at: datetime | None


class QueueFigures:
    """What Redis counts, and what this process counted last: so that a figure that is unknown now was known once."""

    def __init__(self, breaker: Breaker, queue: RequestQueue) -> None:
        self._breaker, self._queue = breaker, queue
        self._lock = threading.Lock()
        self._last_known: Mapping[str, LastKnown] = {}
        self._workers_seen_at: datetime | None = None

    def read(self) -> QueueCounts:
        """Asked through the breaker: while it is open Redis is not waited for."""
        try:
            counted = self._breaker.call(self._queue.counts)
        except QueueUnavailable:
            with self._lock:
                unknown: Mapping[str, int | None] = dict.fromkeys(COUNTED_IN_REDIS)
                return QueueCounts(ServerState.DOWN, unknown, self._last_known, self._workers_seen_at)
        counts: Mapping[str, int] = {name: getattr(counted, name) for name in COUNTED_IN_REDIS}
        at = datetime.now(UTC)
        with self._lock:
            self._last_known = {name: LastKnown(value=value, at=at) for name, value in counts.items()}
            if counted.workers:
                self._workers_seen_at = at
            return QueueCounts(ServerState.UP, counts, self._last_known, self._workers_seen_at)


class SystemMetrics:
    def __init__(
        self,
        figures: ProvisioningFigures,
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
        self._figures, self._outbox, self._incidents, self._history = figures, outbox, incidents, incident_history
        self._breaker, self._queue = breaker, QueueFigures(breaker, queue)
        self._telegram_configured, self._smtp_configured = telegram_configured, smtp_configured

    def read(self) -> Metrics:
        """Raises DatabaseUnavailable."""
        waiting = self._outbox.waiting()
        figures = self._figures.now()
        open_now = self._incidents.open_now()
        queue = self._queue.read()
        postgresql, postgresql_detail = self._postgresql()
        return Metrics(
            redis=queue.redis,
            **queue.counts,
            last_known=dict(queue.last_known),
            workers_seen_at=queue.workers_seen_at,
            accepted_unfinished=figures.accepted,
            provisioned_24h=figures.provisioned_24h,
            failed_24h=figures.failed_24h,
            oldest_accepted_seconds=figures.oldest_accepted_seconds,
            states={
                RequestStatus.ACCEPTED: figures.accepted,
                # One customer for each: that is what provisioned means.
                RequestStatus.PROVISIONED: figures.customers,
                RequestStatus.DUPLICATE: figures.duplicate,
                RequestStatus.FAILED: figures.failed,
            },
            p50_seconds=MedianSeconds(queued=figures.p50_queued, direct=figures.p50_direct),
            breaker=BreakerState(self._breaker.state.value),
            incident=open_now[0] if open_now else None,
            last_incident=self._history.last_resolved(),
            telegram=_state(configured=self._telegram_configured, failing=waiting.alerts_failing),
            telegram_detail=figures.telegram_detail if waiting.alerts_failing else None,
            # Where Telegram is not configured alerts are logged, which is no sending.
            last_alert_sent_at=figures.last_alert_sent_at if self._telegram_configured else None,
            postgresql=postgresql,
            postgresql_detail=postgresql_detail,
            smtp=_state(configured=self._smtp_configured, failing=waiting.mail_failing),
            mails_waiting=waiting.mails,
            mails_failed=figures.mails_failed,
            alerts_waiting=waiting.alerts,
            customers=figures.customers,
            staff_active=figures.staff_active,
            tokens_ending_7d=figures.tokens_ending_7d,
            measured_at=datetime.now(UTC),
        )

    def _postgresql(self) -> tuple[ServerState, str | None]:
        """It answers; for creates it is down all the same where it takes no writes."""
        try:
            self._probe.try_write()
        except DatabaseTakesNoWrites as error:
            return ServerState.DOWN, str(error)
        return ServerState.UP, None


def _state(*, configured: bool, failing: bool) -> ChannelState:
    if not configured:
        return ChannelState.NOT_CONFIGURED
    return ChannelState.FAILING if failing else ChannelState.OK
