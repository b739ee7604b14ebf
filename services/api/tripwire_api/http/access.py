"""Who may: bearer tokens, roles, and the limit on how often a token may ask.

A guard stands above each blueprint where it is registered (`app.py`); a test walks the routes and fails where one has
none.
"""

from collections.abc import Callable
from functools import partial, wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from flask import Request, g

from tripwire_api.http.client_request import client_address
from tripwire_shared.activity.activity_log import acting_from
from tripwire_shared.answers.vocabulary import Role
from tripwire_shared.errors import TripwireError
from tripwire_shared.rate_limit import RateLimit
from tripwire_shared.setting_rules import Network
from tripwire_shared.staff.staff import Staff
from tripwire_shared.staff.tokens import Tokens

Guard = Callable[[Request], None]
P = ParamSpec("P")
R = TypeVar("R")


class NotSignedIn(TripwireError):
    """A valid bearer token is needed: Authorization: Bearer TOKEN."""


class Forbidden(TripwireError):
    """Your role does not allow this."""


class TooManyRequests(TripwireError):
    """This token asks too often; wait a second."""


def public(_: Request) -> None:
    """The guard of what needs no token: said, not forgotten."""


def staff_only(tokens: Tokens, limit: RateLimit, trusted_proxies: tuple[Network, ...]) -> Guard:
    """Any active member of staff, within the rate limit."""

    def guard(asked: Request) -> None:
        scheme, _, token = asked.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise NotSignedIn
        address = client_address(asked, trusted_proxies)
        g.staff, g.token, g.look_again = whose(token, address), token, partial(whose, token, address)
        if not limit.take(token):
            raise TooManyRequests
        acting_from(address)

    def whose(token: str, address: Callable[[], str]) -> Staff:
        staff = tokens.authenticate(token, address)
        if staff is None:
            raise NotSignedIn("The token is unknown, has ended or was revoked.")
        return staff

    return guard


def admin_only(staff_guard: Guard) -> Guard:
    """Admins: what `staff_guard` asks, and the role."""

    def guard(asked: Request) -> None:
        staff_guard(asked)
        admins_only()

    return guard


def current_staff() -> Staff:
    """Who asks. Only behind a guard."""
    staff: Staff = g.staff
    return staff


def look_again() -> Staff:
    """Who asks, after a wait during which the token may have been revoked or the role changed. Raises NotSignedIn."""
    g.staff = g.look_again()
    return current_staff()


def current_staff_or_none() -> Staff | None:
    staff: Staff | None = g.get("staff")
    return staff


def only_own(staff: Staff) -> UUID | None:
    """The filter of what a caller sees: a manager their own, an admin all."""
    return None if staff.role is Role.ADMIN else staff.id


def current_token() -> str:
    token: str = g.token
    return token


def admins_only() -> Staff:
    """The admin who asks. Raises Forbidden for others."""
    staff = current_staff()
    if staff.role is not Role.ADMIN:
        raise Forbidden
    return staff


def for_admins(view: Callable[P, R]) -> Callable[P, R]:
    """A route for admins among others' routes; refuses before the body is looked at."""

    @wraps(view)
    def guarded(*arguments: P.args, **more: P.kwargs) -> R:
        admins_only()
        return view(*arguments, **more)

    return guarded
