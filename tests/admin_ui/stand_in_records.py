"""The part of the stand-in API about requests, customers, staff and activity, over lists that a test fills."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

Answer = tuple[int, Any, dict[str, str]]
TRIPWIRE = "/api/admin/tripwire"
NUMBERS = count(1)
PRICE_RANGE = "Must be greater than or equal to 0 and less than or equal to 1000000000."
TAKEN = "The e-mail address already belongs to a customer, an auth user or a request under way."


def uid(number: int) -> str:
    return str(UUID(int=number))


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


TIMUR = {"id": uid(2), "email": "timur@example.com", "full_name": "Timur S."}
DANA = {"id": uid(1), "email": "dana@example.com", "full_name": "Dana A."}


def a_request(email: str = "anna@example.com", status: str = "provisioned", **fields: Any) -> dict[str, Any]:
    number = 1000 + next(NUMBERS)
    finished = status != "accepted"
    return {
        "request_id": uid(number), "email": email, "full_name": email.partition("@")[0].title(), "status": status,
        "mode": "async", "attempts": 1, "max_attempts": 3, "error": None,
        "user_id": uid(number + 5000) if status == "provisioned" else None, "manager": TIMUR,
        "price": 5000, "currency": "KZT", "accepted_at": ago(60), "finished_at": ago(59) if finished else None,
        "took_seconds": 0.7 if finished else None, "due_at": None,
        "welcome_email": {"provisioned": "sent", "accepted": "pending"}.get(status, "failed"), **fields,
    }  # fmt: skip


def a_customer(email: str = "hana@example.com", status: str = "active", **fields: Any) -> dict[str, Any]:
    return {
        "user_id": uid(20_000 + next(NUMBERS)), "email": email, "full_name": email.partition("@")[0].title() + " W.",
        "status": status, "manager": TIMUR, "price": 5000, "currency": "KZT", "created_at": ago(120),
        "request_id": uid(9), "welcome_email": "sent", "erased": False, **fields,
    }  # fmt: skip


def an_entry(action: str, **fields: Any) -> dict[str, Any]:
    row = {"id": next(NUMBERS), "at": ago(30), "staff": DANA, "action": action, "user_id": None, "request_id": None}
    return {**row, "detail": {}, "address": "192.0.2.7", **fields}


def a_token(name: str = "Website form", **fields: Any) -> dict[str, Any]:
    row = {"id": uid(9), "name": name, "created_at": ago(9e5), "expires_at": None, "last_used_at": None}
    return {**row, "created_by": DANA, **fields}


class Records:
    """`steps` holds the steps of a request by its id; `retries` how many each call of "retry all" takes up; `link_wait`
    the seconds until a new link may be asked for."""

    def __init__(self, requests: list[dict[str, Any]]) -> None:
        self.requests = requests
        self.steps: dict[str, list[dict[str, Any]]] = {}
        self.customers: list[dict[str, Any]] = []
        self.activity: list[dict[str, Any]] = []
        self.tokens: dict[str, list[dict[str, Any]]] = {}
        self.retries = 100
        self.link_wait: int | None = None
        self.page = 50
        self.numbers = {
            "total_customers": 184, "active": 172, "inactive": 9, "completed": 2, "blocked": 1,
            "total_revenue": 920_000, "this_week": 11, "this_month": 43, "revenue_this_month": 214_500,
            "place": 2, "of": 4, "currency": "KZT",
        }  # fmt: skip
        self.staff = [
            {**DANA, "role": "admin", "active": True, "tokens": 2, "last_seen_at": ago(5), "created_at": ago(9e6)},
            {**TIMUR, "role": "sales", "active": True, "tokens": 2, "last_seen_at": ago(65), "created_at": ago(8e6)},
            {"id": uid(3), "email": "rosa@example.com", "full_name": "Rosa C.", "role": "sales", "active": False,
             "tokens": 0, "last_seen_at": ago(2e6), "created_at": ago(7e6)},
        ]  # fmt: skip

    def answer(self, call: Any, staff: dict[str, str]) -> Answer | None:
        """None: not about these things."""
        parts = call.path.split("/")
        if call.path.startswith("/api/admin/staff"):
            return self._of_staff(call, parts[4:]) if staff["role"] == "admin" else refused(403, "This is for admins.")
        if not call.path.startswith(TRIPWIRE):
            return None
        handlers: dict[str, Callable[[Any, list[str]], Answer]] = {
            "requests": self._of_requests, "users": self._of_customers, "activity": self._of_activity,
            "my-stats": lambda *_: (200, self.numbers, {}),
        }  # fmt: skip
        return handlers[parts[4]](call, parts[5:])

    def _of_requests(self, call: Any, rest: list[str]) -> Answer:
        if not rest:
            return self._list(call, "requests", self.requests, "accepted_at")
        if rest == ["retry"]:
            return self._retry_all(call)
        found = next((row for row in self.requests if row["request_id"] == rest[0]), None)
        if found is None:
            return refused(404, "There is no such request.")
        if rest[1:] == ["retry"]:
            if found["status"] != "failed":
                return refused(409, "Its e-mail has been taken meanwhile.")
            self._retried(found)
            return 202, {**found, "steps": []}, {}
        return 200, {**found, "steps": self.steps.get(rest[0], [])}, {}

    def _retried(self, row: dict[str, Any]) -> None:
        row |= {"status": "accepted", "attempts": 0, "finished_at": None, "error": None, "welcome_email": "pending"}
        step = {"step": "retried", "at": ago(0), "detail": {"by": DANA["email"]}}
        self.steps.setdefault(row["request_id"], []).append(step)

    def _retry_all(self, call: Any) -> Answer:
        matching = [row for row in self._matching(self.requests, call.body, "accepted_at") if row["status"] == "failed"]
        for row in matching[: self.retries]:
            self._retried(row)
        taken = min(self.retries, len(matching))
        return 202, {"retried": taken, "refused": 0, "remaining": len(matching) - taken}, {}

    def _of_customers(self, call: Any, rest: list[str]) -> Answer:
        if not rest:
            if call.method == "POST":
                return self._create(call)
            return self._list(call, "users", self.customers, "created_at")
        found = next((row for row in self.customers if row["user_id"] == rest[0]), None)
        if found is None:
            return refused(404, "There is no such customer.")
        if call.method == "DELETE":
            found |= {"erased": True, "email": "erased@example.com", "full_name": "Erased"}
            return 204, None, {}
        if rest[1:] in (["resend-welcome"], ["welcome-link"]):
            return self._new_link(found, rest)
        if call.method == "PATCH":
            if not call.body.get("full_name", "x").strip():
                return refused(422, "Some fields are wrong.", {"full_name": ["Must have 1 to 200 characters."]})
            found |= call.body
        sale = {"id": uid(8), "amount": found["price"], "currency": found["currency"], "created_at": ago(120)}
        own = [row for row in self.requests if row["user_id"] == rest[0]]
        done = [row for row in self.activity if row["user_id"] == rest[0]]
        return 200, {**found, "sale": sale, "requests": own, "activity": done}, {}

    def _new_link(self, found: dict[str, Any], rest: list[str]) -> Answer:
        if self.link_wait is not None:
            status, body, _ = refused(429, "A new link was asked for less than a minute ago.")
            return status, body, {"Retry-After": str(self.link_wait)}
        if rest[1:] == ["welcome-link"]:
            return 201, {"link": f"https://academy.example/invitations/{uid(77)}.s", "expires_at": ago(-72 * 3600)}, {}
        found["welcome_email"] = "pending"
        return 202, {"success": True, "user_id": rest[0], "welcome_email": "pending"}, {}

    def _create(self, call: Any) -> Answer:
        email = call.body["email"]
        if "." not in email.partition("@")[2]:
            return refused(422, "Some fields are wrong.", {"email": ["Enter an address with a dot after the @."]})
        if call.body.get("price", 0) > 1_000_000_000:
            return refused(422, "Some fields are wrong.", {"price": [PRICE_RANGE]})
        if any(row["email"] == email for row in self.requests):
            return self._taken(next(row for row in self.requests if row["email"] == email))
        row = a_request(email, "accepted", full_name=call.body["full_name"], accepted_at=ago(0))
        self.requests.append(row)
        return (
            202,
            {"success": True, "request_id": row["request_id"], "email": email, "status": "accepted", "mode": "async"},
            {},
        )

    def _taken(self, row: dict[str, Any]) -> Answer:
        """The customer's id, or the request's where it is no customer yet."""
        status, body, headers = refused(409, TAKEN)
        whose = "user_id" if row["user_id"] else "request_id"
        return status, {**body, "title": "E-mail address taken", whose: row[whose]}, headers

    def _list(self, call: Any, name: str, rows: list[dict[str, Any]], moment: str) -> Answer:
        query = {field: values[0] for field, values in call.query.items()}
        matching = sorted(self._matching(rows, query, moment), key=lambda row: row[moment], reverse=True)
        wanted = [row for row in matching if query.get("status") in (None, row["status"])]
        start, limit = int(query.get("cursor", "0")), min(int(query.get("limit", "50")), self.page)
        words = ("accepted", "provisioned", "duplicate", "failed")
        of_rows = Counter(row["status"] for row in matching)
        counts = dict.fromkeys(words if name == "requests" else ("active", "inactive", "completed", "blocked"), 0)
        return 200, {
            name: wanted[start : start + limit], "total": len(wanted), "counts": counts | of_rows,
            "next_cursor": str(start + limit) if start + limit < len(wanted) else None,
            "previous_cursor": str(max(0, start - limit)) if start else None,
        }, {}  # fmt: skip

    def _matching(self, rows: list[dict[str, Any]], query: dict[str, Any], moment: str) -> list[dict[str, Any]]:
        def matches(row: dict[str, Any]) -> bool:
            at = datetime.fromisoformat(row[moment])
            return (
                query.get("q", "").lower() in f"{row['email']} {row.get('full_name', '')}".lower()
                and query.get("mode") in (None, row.get("mode"))
                and query.get("manager_id") in (None, (row.get("manager") or {}).get("id"))
                and ("from" not in query or at >= datetime.fromisoformat(query["from"]))
                and ("to" not in query or at < datetime.fromisoformat(query["to"]))
            )

        return [row for row in rows if matches(row)]

    def _of_staff(self, call: Any, rest: list[str]) -> Answer:
        if not rest:
            return self._add(call) if call.method == "POST" else (200, {"staff": self.staff}, {})
        found = next((row for row in self.staff if row["id"] == rest[0]), None)
        if found is None:
            return refused(404, "There is no such member of staff.")
        if rest[1:] == ["tokens"] and call.method == "POST":
            until = ago(-86_400 * call.body.get("expires_in_days", 1))
            made = a_token(call.body["name"], id=uid(40_000 + next(NUMBERS)), created_at=ago(0), expires_at=until)
            self.tokens.setdefault(rest[0], []).append(made)
            return 201, {**made, "token": "tw_EXAMPLE_k3Qd9fXv2mZr7LwB1sNp8HtYc"}, {}
        if rest[1:] == ["tokens"]:
            return 200, {"tokens": self.tokens.get(rest[0], [])}, {}
        if len(rest) == 3:
            kept = [token for token in self.tokens.get(rest[0], []) if token["id"] != rest[2]]
            gone = len(kept) < len(self.tokens.get(rest[0], []))
            self.tokens[rest[0]] = kept
            return (204, None, {}) if gone else refused(404, "There is no such token.")
        return self._change(call, found)

    def _change(self, call: Any, found: dict[str, Any]) -> Answer:
        if call.body.get("active") is False and found["role"] == "admin":
            return refused(409, "The last active admin must stay.")
        if len(call.body.get("password", "long enough")) < 8:
            return refused(422, "Some fields are wrong.", {"password": ["At least 8 characters."]})
        if "\u202e" in call.body.get("full_name", ""):
            return refused(422, "Some fields are wrong.", {"full_name": ["No direction characters."]})
        found |= {name: value for name, value in call.body.items() if name != "password"}
        return 200, found, {}

    def _add(self, call: Any) -> Answer:
        if call.body.get("role") not in ("admin", "sales"):
            return refused(422, "Some fields are wrong.", {"role": ["Must be one of: sales, admin."]})
        if any(row["email"] == call.body["email"] for row in self.staff):
            return refused(409, "This e-mail belongs to somebody already.")
        names = ("email", "full_name", "role")
        row = {
            "id": uid(60_000 + next(NUMBERS)),
            "active": True,
            "tokens": 0,
            "last_seen_at": None,
            "created_at": ago(0),
        }
        self.staff.append({**row, **{name: call.body[name] for name in names}})
        return 201, self.staff[-1], {}

    def _of_activity(self, call: Any, rest: list[str]) -> Answer:
        if rest == ["queue"]:
            self.activity.append(an_entry("queue changed", detail={"what": call.body["what"], **call.body["detail"]}))
            return 201, {"success": True}, {}
        query = {field: values[0] for field, values in call.query.items()}
        rows = [
            row
            for row in reversed(self.activity)
            if query.get("action") in (None, row["action"])
            and query.get("staff_id") in (None, (row["staff"] or {}).get("id"))
            and ("before" not in query or row["id"] < int(query["before"]))
        ]
        limit = min(int(query["limit"]), self.page)
        actions = sorted({row["action"] for row in self.activity})
        before = rows[limit - 1]["id"] if len(rows) > limit else None
        return 200, {"activity": rows[:limit], "actions": actions, "next_before": before}, {}


def refused(status: int, detail: str, errors: dict[str, list[str]] | None = None) -> Answer:
    body = {"type": "about:blank", "title": "Refused", "status": status, "detail": detail}
    return status, body | ({"errors": errors} if errors else {}), {}
