"""Who makes auth users: our own PostgreSQL, or Supabase through its admin API."""

import json
import secrets
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import requests

from tripwire_shared.errors import IdentityProviderRefused, IdentityProviderUnavailable
from tripwire_shared.network.bounded_call import BoundedCalls, TookTooLong
from tripwire_shared.network.outside_session import outside_session
from tripwire_shared.postgres.database import off_the_clock
from tripwire_shared.requests.request import Claim
from tripwire_shared.settings import Settings
from tripwire_shared.timings import IDENTITY_PROVIDER_TIMEOUT, IDENTITY_PROVIDER_TOTAL

# A hundred years, as the provider writes spans of time.
FOR_EVER = "876000h"
# What it answers (422) where the address has an auth user already; old versions give no code at all.
TAKEN_CODES = ("email_exists", "user_already_exists", None)
# Of an answer, so much is read: its error code stands in there.
ANSWER_BYTES = 16_384


class IdentityProvider(Protocol):
    outside: bool
    """Whether another server makes the auth user, before the customer's statement."""

    def prepare(self, claim: Claim, password_hash: str | None) -> None:
        """Has the auth user made where another server does that. Repeatable.

        Raises IdentityProviderUnavailable where trying again helps, IdentityProviderRefused where it does not.
        """

    def forget(self, user_id: UUID, placeholder: str) -> None:
        """Erases what another server keeps of this auth user; `placeholder` takes the address' place. Repeatable.

        Raises IdentityProviderUnavailable or IdentityProviderRefused.
        """


class PostgresIdentity:
    """The auth user is one more row of the customer's statement."""

    outside = False

    def prepare(self, claim: Claim, password_hash: str | None) -> None:
        return

    def forget(self, user_id: UUID, placeholder: str) -> None:
        return


@dataclass(frozen=True)
class _Answer:
    status: int
    error_code: str | None
    retry_after: float | None


class SupabaseIdentity:
    """Supabase's admin API makes the auth user first; its app metadata names the request, so that a retry resumes."""

    outside = True

    def __init__(self, url: str, service_role_key: str) -> None:
        self._endpoint = f"{url.rstrip('/')}/auth/v1/admin/users"
        self._calls = BoundedCalls(IDENTITY_PROVIDER_TOTAL)
        self._headers = {"apikey": service_role_key, "Authorization": f"Bearer {service_role_key}"}

    def prepare(self, claim: Claim, password_hash: str | None) -> None:
        body: dict[str, object] = {
            "email": claim.email,
            "email_confirm": True,
            "app_metadata": {"tripwire_request_id": str(claim.request_id)},
            "user_metadata": {"full_name": claim.full_name},
        }
        if password_hash is not None:
            body["password_hash"] = password_hash
        answer = self._ask("POST", self._endpoint, body)
        # There is one already, ours from an earlier attempt or somebody else's: the checks read which.
        taken = answer.status == 422 and answer.error_code in TAKEN_CODES
        if answer.status not in (200, 201) and not taken:
            raise _refusal(answer)

    def forget(self, user_id: UUID, placeholder: str) -> None:
        body: dict[str, object] = {
            "email": placeholder,
            "email_confirm": True,
            "user_metadata": {"full_name": None},  # null removes it there
            # It keeps no account without a password: one that nobody knows, and no sign-in by any other way.
            "password": secrets.token_urlsafe(32),
            "ban_duration": FOR_EVER,
        }
        answer = self._ask("PUT", f"{self._endpoint}/{user_id}", body)
        if answer.status not in (200, 404):  # 404: somebody has removed it over there
            raise _refusal(answer)

    def _ask(self, method: str, url: str, body: dict[str, object]) -> _Answer:
        try:
            with off_the_clock():  # this time is not the database's
                return self._calls.run(lambda: self._answer(method, url, body))
        except (requests.RequestException, TookTooLong) as error:
            raise IdentityProviderUnavailable(f"The identity provider: {type(error).__name__}.") from None

    def _answer(self, method: str, url: str, body: dict[str, object]) -> _Answer:
        with (
            outside_session(url) as session,
            session.request(
                method, url, json=body, headers=self._headers, timeout=IDENTITY_PROVIDER_TIMEOUT,
                allow_redirects=False, stream=True,
            ) as answer,
        ):  # fmt: skip
            # What was made is in PostgreSQL: only a refusal is read, so a body that comes slowly costs nothing.
            code = _error_code(answer) if 400 <= answer.status_code < 500 else None
            return _Answer(answer.status_code, code, _seconds(answer.headers.get("Retry-After")))


def _refusal(answer: _Answer) -> IdentityProviderUnavailable | IdentityProviderRefused:
    """Too many requests, a time-out or trouble of its own pass by themselves; any other refusal does not."""
    reason = f"The identity provider answered {answer.status}"
    if answer.status in (408, 425, 429) or not 400 <= answer.status < 500:
        return IdentityProviderUnavailable(f"{reason}.", answer.retry_after)
    return IdentityProviderRefused(f"{reason} ({answer.error_code})." if answer.error_code else f"{reason}.")


def _error_code(answer: requests.Response) -> str | None:
    """The `error_code` of a refusal; None where there is none. Only a short word: it is shown to people."""
    try:
        body: Any = json.loads(next(answer.iter_content(ANSWER_BYTES), b""))
    except ValueError:
        return None
    code = body.get("error_code") if isinstance(body, dict) else None
    return code if isinstance(code, str) and code.isidentifier() and len(code) <= 60 else None


def _seconds(retry_after: str | None) -> float | None:
    """Of a Retry-After header in seconds; its other form, a date, is not read: the usual pause then holds."""
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdecimal() else None


def build_identity(settings: Settings) -> IdentityProvider:
    if settings.identity_provider == "supabase":
        return SupabaseIdentity(settings.supabase_url, settings.supabase_service_role_key)
    return PostgresIdentity()
