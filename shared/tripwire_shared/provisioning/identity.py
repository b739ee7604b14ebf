"""Who makes auth users: our own PostgreSQL, or Supabase through its admin API."""

import secrets
from typing import Protocol
from uuid import UUID

import requests

from tripwire_shared.bounded_call import BoundedCalls, TookTooLong
from tripwire_shared.database import Connection, off_the_clock
from tripwire_shared.errors import IdentityProviderUnavailable
from tripwire_shared.provisioning.customer_store import CustomerStore
from tripwire_shared.requests.request import Claim
from tripwire_shared.settings import Settings
from tripwire_shared.timings import IDENTITY_PROVIDER_TIMEOUT, IDENTITY_PROVIDER_TOTAL

# A hundred years, as the provider writes spans of time.
FOR_EVER = "876000h"


class IdentityProvider(Protocol):
    def prepare(self, claim: Claim, password_hash: str | None) -> None:
        """What has to happen before the transaction, as it asks another server. Repeatable.

        Raises IdentityProviderUnavailable.
        """

    def forget(self, user_id: UUID, placeholder: str) -> None:
        """Erases what another server keeps of this auth user; `placeholder` takes the address' place. Repeatable.

        Raises IdentityProviderUnavailable.
        """

    def make(self, connection: Connection, claim: Claim, password_hash: str | None) -> UUID:
        """The auth user, where the checks found none. Inside the transaction. Raises SomebodyWasFaster."""
        ...


class PostgresIdentity:
    """The auth user is one more row of the customer's transaction."""

    def __init__(self, customers: CustomerStore) -> None:
        self._customers = customers

    def prepare(self, claim: Claim, password_hash: str | None) -> None:
        return

    def forget(self, user_id: UUID, placeholder: str) -> None:
        return

    def make(self, connection: Connection, claim: Claim, password_hash: str | None) -> UUID:
        return self._customers.insert_auth_user(connection, claim, password_hash)


class SupabaseIdentity:
    """Supabase's admin API makes the auth user first; its app metadata names the request, so that a retry resumes."""

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
        # 422: there is one already, ours from an earlier attempt or somebody else's; the checks read which.
        self._ask("POST", self._endpoint, body, (200, 201, 422))

    def forget(self, user_id: UUID, placeholder: str) -> None:
        body: dict[str, object] = {
            "email": placeholder,
            "email_confirm": True,
            "user_metadata": {"full_name": None},  # null removes it there
            # It keeps no account without a password: one that nobody knows, and no sign-in by any other way.
            "password": secrets.token_urlsafe(32),
            "ban_duration": FOR_EVER,
        }
        with off_the_clock():  # this time is not the database's
            # 404: somebody has removed it over there.
            self._ask("PUT", f"{self._endpoint}/{user_id}", body, (200, 404))

    def _ask(self, method: str, url: str, body: dict[str, object], fine: tuple[int, ...]) -> None:
        try:
            status = self._calls.run(lambda: self._status(method, url, body))
        except (requests.RequestException, TookTooLong) as error:
            raise IdentityProviderUnavailable(f"The identity provider: {type(error).__name__}.") from None
        if status not in fine:
            raise IdentityProviderUnavailable(f"The identity provider answered {status}.")

    def _status(self, method: str, url: str, body: dict[str, object]) -> int:
        # Only the status is read (stream): a body that comes slowly costs nothing.
        with requests.request(
            method, url, json=body, headers=self._headers, timeout=IDENTITY_PROVIDER_TIMEOUT,
            allow_redirects=False, stream=True,
        ) as answer:  # fmt: skip
            return answer.status_code

    def make(self, connection: Connection, claim: Claim, password_hash: str | None) -> UUID:
        # prepare() made one or found one, yet the checks saw none: it was removed meanwhile. Try again.
        raise IdentityProviderUnavailable("The identity provider's user is not in auth.users.")


def build_identity(settings: Settings, customers: CustomerStore) -> IdentityProvider:
    if settings.identity_provider == "supabase":
        return SupabaseIdentity(settings.supabase_url, settings.supabase_service_role_key)
    return PostgresIdentity(customers)
