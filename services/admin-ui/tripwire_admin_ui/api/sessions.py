"""Signing in and out at the API, and who that makes of a visitor."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tripwire_admin_ui.api import answer_fields
from tripwire_admin_ui.api.answer_fields import UnreadableAnswer
from tripwire_admin_ui.api.client import ApiClient, Budget

TOKEN_AT_MOST, EMAIL_AT_MOST = 512, 320


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in, and the token that the API knows them by. `role` as the API said last."""

    token: str
    email: str
    full_name: str
    role: str

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


def sign_in(api: ApiClient, email: str, password: str) -> SignedIn:
    """Raises NotSignedIn, TooManyTries and the common failures."""
    body = {"email": email, "password": password}
    return api.call("POST", "/api/auth/login", _read, Budget(), body=body)


def sign_out(api: ApiClient, token: str) -> None:
    api.call("POST", "/api/auth/logout", lambda _: None, Budget(), token)


def _read(document: Mapping[str, Any]) -> SignedIn:
    staff = document.get("staff")
    if not isinstance(staff, Mapping):
        raise UnreadableAnswer("staff")
    token, *fields = (
        answer_fields.needed(answer_fields.text, source, name)
        for source, name in ((document, "token"), (staff, "email"), (staff, "full_name"), (staff, "role"))
    )
    if len(token) > TOKEN_AT_MOST or len(fields[0]) > EMAIL_AT_MOST:
        raise UnreadableAnswer("token or email")  # no cookie could hold it
    return SignedIn(token, *fields)
