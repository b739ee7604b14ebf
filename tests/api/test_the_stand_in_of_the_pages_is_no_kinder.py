"""The admin UI's tests and pictures stand on `tests/admin_ui/stand_in_api.py`: it tells no more than the API."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.admin_ui.stand_in_api import STAFF, Call, StandInApi
from tests.admin_ui.stand_in_records import DANA, a_customer, a_deed, a_request, ago, uid
from tests.admin_ui.stand_in_system import a_deploy, an_incident
from tests.api.conftest import ApiUnderTest, Caller, sell, sql

SYSTEM, TRIPWIRE, MEMBERS = "/api/admin/system", "/api/admin/tripwire", "/api/admin/staff"
OF_BOTH = (
    *(f"{SYSTEM}/{path}" for path in ("mode", "metrics", "availability")),
    f"{SYSTEM}/history?window=1h",
    f"{SYSTEM}/incidents?limit=5",
    f"{SYSTEM}/deploys?limit=5",
    f"{SYSTEM}/logs?limit=5",
    f"{TRIPWIRE}/requests?limit=5",
    f"{TRIPWIRE}/requests?limit=5&status=accepted",
    f"{TRIPWIRE}/requests/REQUEST",
    f"{TRIPWIRE}/users?limit=5",
    f"{TRIPWIRE}/users/USER",
    f"{TRIPWIRE}/activity?limit=5",
    f"{TRIPWIRE}/my-stats",
    MEMBERS,
    f"{MEMBERS}/MEMBER/tokens",
    "/api/auth/me",
)


class StandIn:
    """Asked without a network; it knows one of everything."""

    def __init__(self) -> None:
        self.api = api = StandInApi()
        api.state.tokens["token"] = STAFF["dana@example.com"]
        api.state.redis_goes_down()
        moment = datetime.now(UTC)
        api.state.past.incidents.append(an_incident(9, "mail failing", moment, moment))
        api.state.past.deploys.append(a_deploy(1, "1.1", moment, previous="1.0", reason="x"))
        api.state.metrics["last_incident"] = api.state.past.incidents[-1]
        api.state.note("SWITCH", "System mode changed to: sync_direct")
        api.state.past.switches.append({"at": ago(9), "mode": "sync_direct", "by": "x", "reason": "y", "version": 2})
        done = a_request("anna@example.com")
        customer = a_customer("anna@example.com", user_id=done["user_id"], request_id=done["request_id"])
        api.state.requests += [done, a_request("bek@example.com", "accepted", due_at=ago(-1), accepted_at=ago(99))]
        api.records.steps[done["request_id"]] = [{"step": "accepted", "at": ago(9), "detail": "x"}]
        api.records.customers.append(customer)
        api.records.activity.append(a_deed("customer created", user_id=done["user_id"], request_id=done["request_id"]))
        token = {"id": uid(1), "name": "CRM", "created_at": ago(9), "expires_at": ago(-9), "last_used_at": ago(1)}
        api.records.tokens[DANA["id"]] = [token]
        self.ids = {"REQUEST": done["request_id"], "USER": done["user_id"], "MEMBER": DANA["id"]}

    def get(self, path: str) -> Any:
        path, _, query = filled(path, self.ids).partition("?")
        given = dict(pair.split("=") for pair in query.split("&") if pair)
        call = Call(
            "GET", path, {name: [value] for name, value in given.items()}, {"Authorization": "Bearer token"}, None
        )
        status, body, _ = self.api.answer(call)
        assert status == 200, body
        return body


class Real:
    """An admin of an API that knows one of everything too."""

    def __init__(self, api: ApiUnderTest, admin: Caller) -> None:
        self._admin = admin
        made = sell(admin)
        admin.post(f"{MEMBERS}/{admin.id}/tokens", json={"name": "CRM", "expires_in_days": 9})
        sql(api, "UPDATE staff_tokens SET last_used_at = now()")
        sql(api, "INSERT INTO incidents (cause, detail) VALUES ('queue unavailable', 'x')")
        sql(api, "INSERT INTO incidents (cause, detail, resolved_at) VALUES ('mail failing', 'x', now())")
        sql(
            api,
            "INSERT INTO deploys (version, previous, started_by, finished_at, outcome, reason)"
            " VALUES ('1.1', '1.0', 'ops', now(), 'failed', 'x')",
        )
        sql(
            api,
            "INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, status, mode, due_at)"
            " SELECT gen_random_uuid(), 'bek@example.com', 'Bek', 1, 'KZT', id, 'accepted', 'async', now() FROM staff",
        )
        self.ids = {"REQUEST": made["request_id"], "USER": made["user_id"], "MEMBER": admin.id}

    def get(self, path: str) -> Any:
        answer = self._admin.get(filled(path, self.ids))
        assert answer.status_code == 200, answer.text
        return answer.get_json()


def filled(path: str, ids: dict[str, str]) -> str:
    for word, value in ids.items():
        path = path.replace(word, value)
    return path


def kinder(told: Any, real: Any, where: str) -> Iterator[str]:
    """What the one tells and the other does not, or in another form. Null says nothing of the form."""
    if told is None or real is None:
        return
    if isinstance(told, dict) and isinstance(real, dict):
        for name in told:
            if name not in real:
                yield f"{where}.{name} is made up"
            else:
                yield from kinder(told[name], real[name], f"{where}.{name}")
    elif isinstance(told, list) and isinstance(real, list):
        if told and real:
            yield from kinder(told[0], real[0], f"{where}[]")
    elif form(told) is not form(real):
        yield f"{where} is {type(told).__name__}, really {type(real).__name__}"


def form(value: Any) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


@pytest.fixture
def real(api: ApiUnderTest, admin: Caller, direct: None) -> Real:
    return Real(api, admin)


def test_it_tells_nothing_that_the_api_does_not(real: Real) -> None:
    stand_in = StandIn()
    found = [line for path in OF_BOTH for line in kinder(stand_in.get(path), real.get(path), path)]
    assert found == []


def test_a_request_under_way_waits_for_its_mail_in_both(real: Real) -> None:
    path = f"{TRIPWIRE}/requests?limit=5&status=accepted"
    for told in (StandIn().get(path), real.get(path)):
        assert [row["welcome_email"] for row in told["requests"]] == ["pending"]
