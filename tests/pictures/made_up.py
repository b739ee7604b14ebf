"""Made-up data for the pictures: an ordinary afternoon, and what can happen to it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.admin_ui.stand_in_api import StandInApi
from tests.admin_ui.stand_in_records import DANA, TIMUR, a_customer, a_request, ago, an_entry, uid
from tests.admin_ui.stand_in_system import a_deploy, an_incident
from tripwire_shared.answers.vocabulary import EventType, Mode
from tripwire_shared.events.causes import ALERTS, QUEUE, REQUESTS
from tripwire_shared.events.event import Event
from tripwire_shared.incidents.incidents import opening_event
from tripwire_shared.metrics.measured_minutes import Minute
from tripwire_worker.minute_report import minute_event

REFUSED = "Error 111 connecting to 127.0.0.1:6379. Connection refused."
MARA = {"id": uid(7), "email": "mara@example.com", "full_name": "Mara V."}


def lines() -> Iterator[tuple[Event, float]]:
    """The health log of the day as the product writes it, by its own functions, and how many minutes ago."""
    served = {"duration_seconds": 192.0, "requests_served_synchronously": 97, "slowest_seconds": 0.41}
    failed = {"request_id": uid(0x9B20), "attempts": 3, "error": "The database refused (CheckViolation)."}
    given_up = {"request_id": uid(0x9B21), "user_id": uid(0x9B22), "reason": "The mail server refused (451)."}
    yield switched(Mode.ASYNC_QUEUE, Mode.SYNC_DIRECT, 11, DANA["email"], "Redis checked after the restart"), 29
    yield switched(Mode.SYNC_DIRECT, Mode.ASYNC_QUEUE, 10, MARA["email"], "Redis restarts at 14:30"), 36
    yield Event(EventType.CRITICAL, REQUESTS.opened, failed), 44
    yield Event(EventType.INFO, QUEUE.resolved, served), 55
    yield opening_event(ALERTS, "502 Bad Gateway"), 57
    yield opening_event(QUEUE, REFUSED), 58.2
    yield Event(EventType.WARNING, "A welcome email could not be sent for 24 hours", given_up), 165
    for ago_minutes in range(1, 60):
        if ago_minutes not in (30, 31, 32):  # nobody came in those
            way = "fallback" if 55 <= ago_minutes <= 58 else "direct" if 29 <= ago_minutes <= 36 else "queued"
            yield minute_event(a_minute(ago_minutes, way)), ago_minutes - 0.02


def switched(mode: Mode, before: Mode, version: int, by: str, reason: str) -> Event:
    about = {"mode": mode, "previous_mode": before, "version": version, "reason": reason, "changed_by": by}
    return Event(EventType.SWITCH, f"System mode changed to: {mode}", about)


def a_minute(ago_minutes: int, way: str) -> Minute:
    counts = dict.fromkeys(("queued", "direct", "fallback"), 0) | {way: 22 + ago_minutes * 7 % 13}
    p50 = 0.7 if way == "queued" else 0.31
    began = minutes_ago(ago_minutes + 1).replace(second=0, microsecond=0)
    return Minute(began, True, **counts, failed=int(ago_minutes == 44), p50=p50, p95=p50 * 2.2)


def minutes_ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def ordinary_day() -> StandInApi:
    """Not yet started."""
    api = StandInApi()
    state, past = api.state, api.state.past
    state.processes = [("app-1", 4101), ("app-1", 4102), ("app-2", 4127), ("app-2", 4131)]
    past.incidents = [
        an_incident(1, "alerts undeliverable", minutes_ago(60 * 24 * 8), minutes_ago(60 * 24 * 8 - 16)),
        an_incident(2, "queue unavailable", minutes_ago(60 * 24 * 5), minutes_ago(60 * 24 * 5 - 0.85), 9, 0.29),
        an_incident(3, "mail failing", minutes_ago(60 * 9), minutes_ago(60 * 9 - 41)),
        an_incident(4, "queue unavailable", minutes_ago(58.2), minutes_ago(55), 97, 0.41),
    ]
    past.deploys = [
        a_deploy(3, "20261124T120210Z-930962a", minutes_ago(170), previous="20261120T090107Z-2bbf812"),
        a_deploy(
            2,
            "20261124T110944Z-45c0844",
            minutes_ago(222),
            "rolled_back",
            previous="20261120T090107Z-2bbf812",
            reason="an instance of api did not become healthy",
            seconds=69.3,
        ),
        a_deploy(1, "20261120T090107Z-2bbf812", minutes_ago(60 * 24 * 4)),
    ]
    past.switches = [
        {"at": minutes_ago(36).isoformat(), "mode": "sync_direct", "by": MARA["email"], "reason": "Redis restarts at 14:30", "version": 10},
        {"at": minutes_ago(29).isoformat(), "mode": "async_queue", "by": DANA["email"], "reason": "Redis checked after the restart", "version": 11},
    ]  # fmt: skip
    state.mode |= {
        "version": 11,
        "changed_at": minutes_ago(29).isoformat(),
        "changed_by": DANA["email"],
        "reason": "Redis checked after the restart",
    }
    state.metrics |= {
        "last_incident": past.incidents[-1],
        "last_alert_sent_at": minutes_ago(29).isoformat(),
        "mails_waiting": 3,
        "accepted_unfinished": 8,
    }
    for event, minutes in sorted(lines(), key=lambda line: -line[1]):
        _log(api, event, minutes_ago(minutes).isoformat())
    _records(api)
    return api


def _log(api: StandInApi, event: Event, at: str) -> None:
    row = {"id": len(api.state.logs) + 1, "event_type": event.type.value, "message": event.message}
    api.state.logs.append({**row, "metadata": dict(event.metadata), "created_at": at})


def _records(api: StandInApi) -> None:
    rows: list[dict[str, Any]] = [
        a_request("chen@example.net", "accepted", full_name="Chen L.", accepted_at=ago(6)),
        a_request("anna@example.com", full_name="Anna K.", manager=MARA, attempts=2, took_seconds=3.1, accepted_at=ago(33), welcome_email="pending"),
        a_request("dmitri@example.com", full_name="Dmitri S.", accepted_at=ago(44)),
        a_request("elif@example.org", full_name="Elif A.", manager=MARA, took_seconds=0.6, accepted_at=ago(62)),
        a_request("farid@example.com", "duplicate", full_name="Farid O.", took_seconds=0.2, accepted_at=ago(69)),
        a_request("aigul@example.com", "failed", full_name="Айгүл Н.", manager=MARA, attempts=3, took_seconds=None, accepted_at=ago(84)),
        a_request("bek@example.org", "failed", full_name="Bek T.", attempts=3, took_seconds=None, accepted_at=ago(172)),
        a_request("gul@example.net", full_name="<script>alert(1)</script>", manager=MARA, mode="sync", took_seconds=0.3, accepted_at=ago(1911)),
        a_request("hana@example.com", full_name="Hana W.", mode="sync", took_seconds=0.3, accepted_at=ago(1944)),
        a_request("ivan@example.org", full_name="Ivan P.", manager=MARA, mode="fallback", took_seconds=0.4, accepted_at=ago(3310), welcome_email="failed"),
    ]  # fmt: skip
    api.state.requests.extend(rows)
    api.records.steps[rows[1]["request_id"]] = [
        {"step": "accepted", "at": ago(33), "detail": None},
        {"step": "attempt_started", "at": ago(32.6), "detail": {"attempt": 1, "of": 3, "door": "queue"}},
        {
            "step": "attempt_failed",
            "at": ago(32.5),
            "detail": {
                "attempt": 1,
                "of": 3,
                "cause": "database_refused",
                "text": "The database refused (SerializationFailure).",
            },
        },
        {"step": "attempt_started", "at": ago(30.5), "detail": {"attempt": 2, "of": 3, "door": "sweep"}},
        {
            "step": "provisioned",
            "at": ago(29.9),
            "detail": {"checks": ["live_request", "auth_user", "customer"]},
        },
        {"step": "mail_failed", "at": ago(29.3), "detail": {"try": 1, "text": "The mail server refused (451)."}},
    ]
    whose = {row["email"].partition("@")[0]: row["user_id"] for row in rows if row["user_id"]}
    api.records.customers += [
        a_customer(f"{name}@example.com", user_id=whose[name]) for name in ("hana", "dmitri", "elif", "gul", "anna")
    ]
    api.records.staff += [
        {**MARA, "role": "sales", "active": True, "tokens": 0, "last_seen_at": ago(240), "created_at": ago(6e6)},
        {**MARA, "id": uid(8), "email": "nadia@example.com", "full_name": "Nadia F.", "role": "admin", "active": True, "tokens": 0, "last_seen_at": ago(13_000), "created_at": ago(5e6)},
    ]  # fmt: skip
    api.records.activity += [
        an_entry("welcome mail resent", staff=MARA, at=ago(6600)),
        an_entry("mode switched", staff=MARA, at=ago(36 * 60), detail={"mode": "sync_direct", "reason": "Redis restarts at 14:30"}),
        an_entry("mode switched", at=ago(29 * 60), detail={"mode": "async_queue", "reason": "Redis checked after the restart"}),
        an_entry("token made", at=ago(700), detail={"name": "CRM import", "staff_id": TIMUR["id"]}),
    ]  # fmt: skip


def two_failed(api: StandInApi) -> None:
    api.state.metrics["states"]["failed"] = 2
    api.state.metrics |= {"mails_failed": 1, "tokens_ending_7d": 1}


def outage(api: StandInApi) -> None:
    api.state.redis_goes_down()
    began = minutes_ago(4.2).isoformat()
    api.state.past.incidents[-1]["started_at"] = began
    api.state.metrics["last_known"] = {
        name: {"value": known["value"], "at": began} for name, known in api.state.metrics["last_known"].items()
    }
    # What was provisioned since stands in the log above it.
    since = [row for row in api.state.logs if row["created_at"] > began]
    del api.state.logs[len(api.state.logs) - len(since) :]
    _log(api, opening_event(QUEUE, REFUSED), began)
    for row in since:
        _log(api, minute_event(a_minute(5, "fallback")), row["created_at"])


def direct_mode(api: StandInApi) -> None:
    api.switch_by(DANA["email"], "sync_direct", "Redis restarts at 14:30")
    api.state.mode["changed_at"] = ago(0.4)
    api.state.behind = {4127, 4131}


def first_day(api: StandInApi) -> None:
    api.state.past.incidents.clear()
    api.state.past.switches.clear()
    api.state.past.busy = 0
    api.state.past.begun = minutes_ago(22)
    api.state.logs.clear()
    api.state.requests.clear()
    api.records.customers.clear()
    api.records.activity.clear()
    api.state.mode |= {"version": 1, "changed_by": None, "reason": None, "changed_at": minutes_ago(22).isoformat()}
    names = ("waiting", "active", "completed", "accepted_unfinished", "provisioned_24h", "failed_24h", "mails_waiting", "customers")  # fmt: skip
    api.state.metrics |= dict.fromkeys(names, 0) | {"oldest_accepted_seconds": None, "last_incident": None}
    api.state.metrics |= {"telegram": "not_configured", "last_alert_sent_at": None, "smtp": "not_configured"}
    api.state.metrics["states"] = dict.fromkeys(("accepted", "provisioned", "duplicate", "failed"), 0)
