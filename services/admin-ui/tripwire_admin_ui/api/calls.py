"""What the admin UI asks of the API, by noun; the answers are those of `tripwire_shared.answers`."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tripwire_admin_ui.api.client import ApiClient, Budget
from tripwire_admin_ui.api.failures import Conflict
from tripwire_shared import timings
from tripwire_shared.answers.activity import ActivityPage, Noted
from tripwire_shared.answers.customers import Created, Customer, CustomerDetail, CustomerPage, Resent, WelcomeLink
from tripwire_shared.answers.history import Availability, DeployList, History, IncidentPage
from tripwire_shared.answers.requests import RequestItem, RequestPage, Retried
from tripwire_shared.answers.sales import OwnStats
from tripwire_shared.answers.staff import ListedMember, MadeToken, Session, StaffList, StaffMember, TokenList
from tripwire_shared.answers.system import LogPage, Metrics, ModeReport, Switched, TestAlert

TRIPWIRE = "/api/admin/tripwire"
REQUESTS = f"{TRIPWIRE}/requests"
CUSTOMERS = f"{TRIPWIRE}/users"
ACTIVITY = f"{TRIPWIRE}/activity"
STAFF = "/api/admin/staff"
SYSTEM = "/api/admin/system"
AUTH = "/api/auth"


class SessionsApi:
    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def sign_in(self, email: str, password: str) -> Session:
        """Raises NotSignedIn, TooManyTries and the common failures."""
        return self._api.send(Session, "POST", f"{AUTH}/login", {"email": email, "password": password})

    def sign_out(self, token: str) -> None:
        self._api.tell("POST", f"{AUTH}/logout", token)

    def who(self, token: str, budget: Budget) -> StaffMember:
        """Raises NotSignedIn where the token stands for nobody any more."""
        return self._api.get(StaffMember, f"{AUTH}/me", budget, token)


class RequestsApi:
    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def page(self, token: str, budget: Budget, query: Mapping[str, str]) -> RequestPage:
        return self._api.get(RequestPage, REQUESTS, budget, token, query)

    def one(self, token: str, budget: Budget, request_id: UUID) -> RequestItem:
        """With its steps. Raises NotThere, also for what the person may not see."""
        return self._api.get(RequestItem, f"{REQUESTS}/{request_id}", budget, token)

    def retry(self, token: str, request_id: UUID) -> RequestItem:
        """Raises Conflict where it is not failed any more, or its e-mail has been taken meanwhile."""
        return self._api.send(RequestItem, "POST", f"{REQUESTS}/{request_id}/retry", {}, token)

    def retry_all(self, token: str, wanted: Mapping[str, str]) -> Retried:
        """Retries at most a hundred of the failed ones that match."""
        return self._api.send(Retried, "POST", f"{REQUESTS}/retry", wanted, token)


class CustomersApi:
    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def page(self, token: str, budget: Budget, query: Mapping[str, str]) -> CustomerPage:
        return self._api.get(CustomerPage, CUSTOMERS, budget, token, query)

    def one(self, token: str, budget: Budget, user_id: UUID) -> CustomerDetail:
        """Raises NotThere, also for what the person may not see."""
        return self._api.get(CustomerDetail, f"{CUSTOMERS}/{user_id}", budget, token)

    def create(self, token: str, fields: Mapping[str, Any], key: str) -> Created:
        """`key` makes it safe to send the same form twice. Raises FieldsRefused, or Conflict for a known e-mail."""
        return self._api.send(Created, "POST", CUSTOMERS, fields, token, key=key)

    def change(self, token: str, user_id: UUID, fields: Mapping[str, str]) -> Customer:
        """`status`, `full_name` or both. Raises FieldsRefused."""
        return self._api.send(Customer, "PATCH", f"{CUSTOMERS}/{user_id}", fields, token)

    def make_link(self, token: str, user_id: UUID) -> WelcomeLink:
        """Raises TooSoon."""
        return self._api.send(WelcomeLink, "POST", f"{CUSTOMERS}/{user_id}/welcome-link", {}, token)

    def erase(self, token: str, user_id: UUID) -> None:
        self._api.tell("DELETE", f"{CUSTOMERS}/{user_id}", token)

    def resend_welcome(self, token: str, user_id: UUID) -> Resent:
        return self._api.send(Resent, "POST", f"{CUSTOMERS}/{user_id}/resend-welcome", {}, token)

    def my_numbers(self, token: str, budget: Budget) -> OwnStats:
        return self._api.get(OwnStats, f"{TRIPWIRE}/my-stats", budget, token)


class ActivityApi:
    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def page(self, token: str, budget: Budget, query: Mapping[str, str]) -> ActivityPage:
        return self._api.get(ActivityPage, ACTIVITY, budget, token, query)

    def note_queue_change(self, token: str, what: str, detail: Mapping[str, str]) -> None:
        """Writes down what somebody is about to do to the queue itself, past our own code."""
        self._api.send(Noted, "POST", f"{ACTIVITY}/queue", {"what": what, "detail": detail}, token)


class StaffApi:
    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def everybody(self, token: str, budget: Budget) -> tuple[ListedMember, ...]:
        return self._api.get(StaffList, STAFF, budget, token).staff

    def add(self, token: str, fields: Mapping[str, str]) -> StaffMember:
        """Raises FieldsRefused, or Conflict where the e-mail is taken."""
        return self._api.send(StaffMember, "POST", STAFF, fields, token)

    def change(self, token: str, staff_id: UUID, fields: Mapping[str, Any]) -> StaffMember:
        """Raises Conflict where nobody could administer any more."""
        return self._api.send(StaffMember, "PATCH", f"{STAFF}/{staff_id}", fields, token)

    def tokens(self, token: str, budget: Budget, staff_id: UUID) -> TokenList:
        return self._api.get(TokenList, f"{STAFF}/{staff_id}/tokens", budget, token)

    def make_token(self, token: str, staff_id: UUID, name: str, days: int | None) -> MadeToken:
        body: dict[str, Any] = {"name": name} | ({} if days is None else {"expires_in_days": days})
        return self._api.send(MadeToken, "POST", f"{STAFF}/{staff_id}/tokens", body, token)

    def revoke_token(self, token: str, staff_id: UUID, token_id: UUID) -> None:
        self._api.tell("DELETE", f"{STAFF}/{staff_id}/tokens/{token_id}", token)


class SwitchedMeanwhile(Conflict):
    """The mode has another version than the one that the page showed."""


class SystemApi:
    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def mode(self, token: str, budget: Budget) -> ModeReport:
        return self._api.get(ModeReport, f"{SYSTEM}/mode", budget, token)

    def switch(self, token: str, mode: str, reason: str, version: int) -> Switched:
        """Raises SwitchedMeanwhile where `version` is stale."""
        body = {"mode": mode, "version": version} | ({"reason": reason} if reason else {})
        try:
            return self._api.send(Switched, "POST", f"{SYSTEM}/mode", body, token)
        except Conflict as conflict:
            raise SwitchedMeanwhile(str(conflict)) from conflict

    def metrics(self, token: str, budget: Budget) -> Metrics:
        return self._api.get(Metrics, f"{SYSTEM}/metrics", budget, token)

    def test_alert(self, token: str) -> TestAlert:
        """Raises Conflict where Telegram is not configured."""
        budget = Budget(timings.UI_ALERT_BUDGET)
        return self._api.send(TestAlert, "POST", f"{SYSTEM}/alerts/test", {}, token, budget=budget)


class HistoryApi:
    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def history(self, token: str, budget: Budget, window: str) -> History:
        return self._api.get(History, f"{SYSTEM}/history", budget, token, {"window": window})

    def availability(self, token: str, budget: Budget) -> Availability:
        return self._api.get(Availability, f"{SYSTEM}/availability", budget, token)

    def incidents(self, token: str, budget: Budget, limit: int, before: str = "") -> IncidentPage:
        query = {"limit": str(limit)} | ({"before": before} if before else {})
        return self._api.get(IncidentPage, f"{SYSTEM}/incidents", budget, token, query)

    def deploys(self, token: str, budget: Budget, limit: int) -> DeployList:
        return self._api.get(DeployList, f"{SYSTEM}/deploys", budget, token, {"limit": str(limit)})

    def events(self, token: str, budget: Budget, query: Mapping[str, str]) -> LogPage:
        return self._api.get(LogPage, f"{SYSTEM}/logs", budget, token, query)
