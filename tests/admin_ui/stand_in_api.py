"""A small API over real HTTP with the shapes of the contract, that a test can set to any state and make fail.

It stands in for the real API where a test needs a state that the real one cannot be brought into quickly.
"""

import json
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import msgspec

from tests.admin_ui.stand_in_records import Records
from tests.admin_ui.stand_in_system import Past, an_incident
from tripwire_shared.answers.activity import ActivityPage, Noted
from tripwire_shared.answers.answer import Answer, dump
from tripwire_shared.answers.customers import Created, Customer, CustomerDetail, CustomerPage, Resent, WelcomeLink
from tripwire_shared.answers.history import Availability, DeployList, History, IncidentPage
from tripwire_shared.answers.requests import RequestItem, RequestPage, Retried
from tripwire_shared.answers.sales import OwnStats
from tripwire_shared.answers.staff import MadeToken, Session, StaffList, StaffMember, TokenList
from tripwire_shared.answers.system import LogPage, Metrics, ModeReport, Switched, TestAlert

PASSWORD = "correct horse battery"
ME = "/api/auth/me"
TOKENS = count(1)
STAFF = {
    "dana@example.com": {
        "id": str(UUID(int=1)),
        "email": "dana@example.com",
        "full_name": "Dana A.",
        "role": "admin",
        "active": True,
    },
    "timur@example.com": {
        "id": str(UUID(int=2)),
        "email": "timur@example.com",
        "full_name": "Timur S.",
        "role": "sales",
        "active": True,
    },
}


def now() -> str:
    return datetime.now(UTC).isoformat()


@dataclass
class Call:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any


@dataclass
class State:
    """What the API knows; tests change it."""

    mode: dict[str, Any] = field(
        default_factory=lambda: {
            "mode": "async_queue",
            "version": 9,
            "changed_at": "2026-11-19T09:55:00+00:00",
            "changed_by": "mara@example.com",
            "reason": "Redis checked after the restart",
        }
    )
    processes: list[tuple[str, int]] = field(default_factory=lambda: [("app-1", 4101), ("app-1", 4102), ("app-2", 77)])
    behind: set[int] = field(default_factory=set)
    metrics: dict[str, Any] = field(
        default_factory=lambda: {
            "redis": "up",
            "waiting": 3,
            "active": 5,
            "scheduled": 0,
            "completed": 9982,
            "failed": 0,
            "workers": 10,
            "accepted_unfinished": 8,
            "provisioned_24h": 12480,
            "failed_24h": 1,
            "oldest_accepted_seconds": 0.9,
            "breaker": "closed",
            "incident": None,
            "telegram": "ok",
            "postgresql": "up",
            "postgresql_detail": None,
            "smtp": "ok",
            "mails_waiting": 2,
            "alerts_waiting": 0,
            "last_known": {},
            "states": {"accepted": 8, "provisioned": 218_390, "duplicate": 57, "failed": 0},
            "mails_failed": 0,
            "customers": 218_406,
            "staff_active": 0,  # counted when it is asked for
            "tokens_ending_7d": 0,
            "p50_seconds": {"async": 0.7, "sync": 0.31},
            "last_incident": None,
            "telegram_detail": None,
            "last_alert_sent_at": None,
            "workers_seen_at": None,
        }
    )
    past: Past = field(default_factory=Past)
    test_alert: dict[str, Any] = field(
        default_factory=lambda: {"ok": True, "status": 200, "description": "OK", "message_id": 4812}
    )
    logs: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    login_wait: int | None = None
    tokens: dict[str, dict[str, str]] = field(default_factory=dict)
    fail: dict[str, int] = field(default_factory=dict)
    raw: dict[str, dict[str, Any]] = field(default_factory=dict)  # what is no answer of the API, by its path
    fail_title: str = ""  # where it is not what the API usually says with this status

    def redis_goes_down(self) -> None:
        names = ("waiting", "active", "scheduled", "completed", "failed", "workers")
        incident = an_incident(len(self.past.incidents) + 1, "queue unavailable", datetime.now(UTC), None, 97, 0.41)
        self.past.incidents.append(incident)
        last_known = {name: {"value": self.metrics[name], "at": now()} for name in names}
        self.metrics |= {"redis": "down", "breaker": "open", "incident": incident, "last_known": last_known}
        self.metrics |= dict.fromkeys(names)

    def redis_comes_back(self) -> None:
        [incident] = [row for row in self.past.incidents if row["ended_at"] is None]
        incident["ended_at"] = now()
        figures = {name: known["value"] for name, known in self.metrics["last_known"].items()}
        self.metrics |= figures | {"redis": "up", "breaker": "closed", "incident": None, "last_incident": incident}

    def note(self, event_type: str, message: str, **metadata: Any) -> None:
        row = {"id": len(self.logs) + 1, "event_type": event_type, "message": message, "created_at": now()}
        self.logs.append({**row, "metadata": metadata})


class StandInApi:
    """Serves `state` on a free port from `start()` to `stop()`; `calls` is what was asked of it."""

    def __init__(self) -> None:
        self.state = State()
        self.records = Records(self.state.requests)
        self.calls: list[Call] = []
        self.who_calls: list[Call] = []
        self.wrong: list[str] = []  # what a test made it answer and the API never does
        self.slowness = 0.0  # seconds before each answer
        self.test_alert_takes = 0.0  # seconds
        self._server: ThreadingHTTPServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Starts it, again on the same port where it ran before."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        self._server.daemon_threads = True
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def calls_of(self, method: str, path: str) -> list[Call]:
        return [call for call in self.calls if (call.method, call.path) == (method, path)]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                url = urlsplit(self.path)
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                call = Call(
                    self.command,
                    url.path,
                    parse_qs(url.query),
                    dict(self.headers.items()),
                    json.loads(content) if content else None,
                )
                # Who asks is asked with each page; it is counted apart.
                (api.who_calls if call.path == ME else api.calls).append(call)
                time.sleep(api.slowness)
                status, body, headers = api.answer(call)
                try:
                    sent = _written(call, status, body)
                except msgspec.ValidationError as error:
                    api.wrong.append(f"{call.method} {call.path}: {error}")
                    raise
                self.send_response(status)
                problem = "application/problem+json" if status >= 400 else "application/json"
                for name, value in {"Content-Type": problem, "Content-Length": str(len(sent)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815  # names of the library

            def log_message(self, format: str, *args: Any) -> None:
                """Silent: a test looks at `calls`."""

        return Handler

    def answer(self, call: Call) -> tuple[int, Any, dict[str, str]]:
        if (broken := self._broken(call.path)) is not None:
            return broken
        if call.path == "/api/auth/login":
            return self._login(call)
        staff = self.state.tokens.get(call.headers.get("Authorization", "").removeprefix("Bearer "))
        if staff is None:
            return problem(401, "The token is not valid.")
        if call.path == "/api/auth/logout":
            self.state.tokens.pop(call.headers["Authorization"].removeprefix("Bearer "))
            return 204, None, {}
        if call.path == ME:
            return 200, {**staff, "active": True}, {}
        told = self.records.answer(call, staff)
        if told is not None:
            return told
        if staff["role"] != "admin":
            return problem(403, "This is for admins.")
        return self._system(call, staff)

    def _broken(self, path: str) -> tuple[int, Any, dict[str, str]] | None:
        if path in self.state.fail:
            status = self.state.fail[path]
            usual = "Database unavailable" if status == 503 else HTTPStatus(status).phrase
            return problem(status, "The database cannot be reached.", self.state.fail_title or usual)
        return (200, Raw(self.state.raw[path]), {}) if path in self.state.raw else None

    def _login(self, call: Call) -> tuple[int, Any, dict[str, str]]:
        if self.state.login_wait is not None:
            status, body, _ = problem(429, "Too many tries.")
            return status, body, {"Retry-After": str(self.state.login_wait)}
        staff = STAFF.get(call.body["email"])
        if staff is None or call.body["password"] != PASSWORD:
            return problem(401, "E-mail or password is wrong.")
        token = f"secret-token-{next(TOKENS)}"  # never one a second time
        self.state.tokens[token] = staff
        return 200, {"token": token, "expires_at": now(), "staff": staff}, {}

    def _system(self, call: Call, staff: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        match call.method, call.path:
            case "GET", "/api/admin/system/mode":
                return 200, {**self.state.mode, "processes": self._processes()}, {}
            case "POST", "/api/admin/system/mode":
                return self._switch(call, staff)
            case "GET", "/api/admin/system/metrics":
                return 200, self._metrics(), {}
            case "POST", "/api/admin/system/alerts/test":
                time.sleep(self.test_alert_takes)
                if self.state.metrics["telegram"] == "not_configured":
                    return problem(409, "Telegram is not configured.")
                return 200, self.state.test_alert, {}
        return self._past(call)

    def _metrics(self) -> dict[str, Any]:
        found = {**self.state.metrics, "measured_at": now()}
        if "staff_active" in found:
            found["staff_active"] = sum(row["active"] for row in self.records.staff)
        return found

    def _past(self, call: Call) -> tuple[int, Any, dict[str, str]]:
        match call.method, call.path:
            case "GET", "/api/admin/system/logs":
                return 200, self._logs(call), {}
            case "GET", "/api/admin/system/history":
                return 200, self.state.past.history(call.query["window"][0]), {}
            case "GET", "/api/admin/system/availability":
                return 200, self.state.past.availability(), {}
            case "GET", "/api/admin/system/incidents":
                before = call.query.get("before")
                return 200, self.state.past.page(int(call.query["limit"][0]), int(before[0]) if before else None), {}
            case "GET", "/api/admin/system/deploys":
                return 200, {"deploys": self.state.past.deploys[: int(call.query["limit"][0])]}, {}
        return problem(404, "Not found")

    def _logs(self, call: Call) -> dict[str, Any]:
        wanted, text = (call.query.get(name, [""])[0] for name in ("type", "q"))
        limit, before = int(call.query["limit"][0]), int(call.query.get("before", ["999999"])[0])
        rows = [
            row
            for row in reversed(self.state.logs)
            if wanted in ("", row["event_type"]) and text.lower() in row["message"].lower() and row["id"] < before
        ]
        return {"logs": rows[:limit], "next_before": rows[limit - 1]["id"] if len(rows) > limit else None}

    def _processes(self) -> list[dict[str, Any]]:
        version = self.state.mode["version"]
        moment = (datetime.fromisoformat(self.state.mode["changed_at"]) + timedelta(seconds=0.2)).isoformat()
        return [
            {
                "service": "api",
                "host": host,
                "pid": pid,
                "applied_at": moment,
                "version": version - 1 if pid in self.state.behind else version,
            }
            for host, pid in self.state.processes
        ]

    def _switch(self, call: Call, staff: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        mode = self.state.mode
        if call.body["version"] != mode["version"]:
            return problem(409, "The mode was changed meanwhile.")
        previous = mode["mode"]
        self.switch_by(staff["email"], call.body["mode"], call.body.get("reason"))
        answer = {"success": True, "mode": mode["mode"], "previous_mode": previous, "version": mode["version"]}
        return 200, answer, {}

    def switch_by(self, who: str, mode: str, reason: str | None) -> None:
        changed = {"mode": mode, "reason": reason, "changed_by": who, "changed_at": now()}
        self.state.mode |= changed | {"version": self.state.mode["version"] + 1}
        version = self.state.mode["version"]
        self.state.past.switches.append({"at": now(), "mode": mode, "by": who, "reason": reason, "version": version})
        self.state.note("SWITCH", f"System mode changed to: {mode}", changed_by=who, reason=reason)


# What the API answers to a call, the first that fits; the rest has no body.
KINDS: tuple[tuple[str, str, type[Answer]], ...] = (
    ("POST", "/api/auth/login", Session),
    ("GET", "/api/auth/me", StaffMember),
    ("GET", "/api/admin/tripwire/requests", RequestPage),
    ("POST", "/api/admin/tripwire/requests/retry", Retried),
    ("GET|POST", "/api/admin/tripwire/requests/.+", RequestItem),
    ("GET", "/api/admin/tripwire/users", CustomerPage),
    ("POST", "/api/admin/tripwire/users", Created),
    ("POST", "/api/admin/tripwire/users/.+/resend-welcome", Resent),
    ("POST", "/api/admin/tripwire/users/.+/welcome-link", WelcomeLink),
    ("PATCH", "/api/admin/tripwire/users/.+", Customer),
    ("GET", "/api/admin/tripwire/users/.+", CustomerDetail),
    ("GET", "/api/admin/tripwire/my-stats", OwnStats),
    ("GET", "/api/admin/tripwire/activity", ActivityPage),
    ("POST", "/api/admin/tripwire/activity/queue", Noted),
    ("GET", "/api/admin/staff", StaffList),
    ("POST", "/api/admin/staff", StaffMember),
    ("POST", "/api/admin/staff/.+/tokens", MadeToken),
    ("GET", "/api/admin/staff/.+/tokens", TokenList),
    ("PATCH", "/api/admin/staff/.+", StaffMember),
    ("GET", "/api/admin/system/mode", ModeReport),
    ("POST", "/api/admin/system/mode", Switched),
    ("GET", "/api/admin/system/metrics", Metrics),
    ("POST", "/api/admin/system/alerts/test", TestAlert),
    ("GET", "/api/admin/system/logs", LogPage),
    ("GET", "/api/admin/system/history", History),
    ("GET", "/api/admin/system/availability", Availability),
    ("GET", "/api/admin/system/incidents", IncidentPage),
    ("GET", "/api/admin/system/deploys", DeployList),
)


def _written(call: Call, status: int, body: Any) -> bytes:
    """As the API writes it. Raises ValidationError for what is no answer of the product's own types."""
    if body is None:
        return b""
    if status >= 400 or isinstance(body, Raw):
        return json.dumps(body).encode()
    asked = f"{call.method} {call.path}"
    kind = next(kind for method, path, kind in KINDS if re.fullmatch(f"(?:{method}) {path}", asked))
    return dump(msgspec.convert(body, kind))


class Raw(dict[str, Any]):
    """An answer as the API never gives it, for a test of what the page makes of it."""


def problem(status: int, detail: str, title: str = "Refused") -> tuple[int, Any, dict[str, str]]:
    return status, {"type": "about:blank", "title": title, "status": status, "detail": detail}, {}
