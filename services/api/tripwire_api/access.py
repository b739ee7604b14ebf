"""Who may: bearer tokens, roles, and the limit on how often a token may ask.

A guard stands above each blueprint where it is registered (`app.py`); a test walks the routes and fails where one has
none.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from flask import Request, g

from tripwire_api.client_request import client_address
from tripwire_shared.activity.activity_log import acting_from
from tripwire_shared.errors import TripwireError
from tripwire_shared.setting_rules import Network
from tripwire_shared.staff.staff import Role, Staff
from tripwire_shared.staff.tokens import Tokens

Guard = Callable[[Request], None]
P = ParamSpec("P")
R = TypeVar("R")
BUCKETS_AT_MOST = 10_000
ENDED = "The token is unknown, has ended or was revoked."


class NotSignedIn(TripwireError):
    """A valid bearer token is needed: Authorization: Bearer TOKEN."""


class Forbidden(TripwireError):
    """Your role does not allow this."""


class TooManyRequests(TripwireError):
    """This token asks too often; wait a second."""


@dataclass
class _Bucket:
    level: float
    at: float


class RateLimit:
    """A token bucket for each bearer token in this process: `per_second`, and a burst of as many again. 0: no limit."""

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._clock = per_second, clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, token: str) -> bool:
        """Whether this request is within the limit."""
        if not self._per_second:
            return True
        now = self._clock()
        with self._lock:
            bucket = self._buckets.setdefault(token, _Bucket(2.0 * self._per_second, now))
            self._buckets.move_to_end(token)
            if len(self._buckets) > BUCKETS_AT_MOST:
                self._buckets.popitem(last=False)
            full = 2.0 * self._per_second
            bucket.level = min(full, bucket.level + (now - bucket.at) * self._per_second)
            bucket.at = now
            if bucket.level < 1:
                return False
            bucket.level -= 1
            return True


def public(_: Request) -> None:
    """The guard of what needs no token: said, not forgotten."""


def staff_only(tokens: Tokens, limit: RateLimit, trusted_proxies: tuple[Network, ...]) -> Guard:
    """Any active member of staff, within the rate limit."""

    def guard(asked: Request) -> None:
        scheme, _, token = asked.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise NotSignedIn
        staff = tokens.authenticate(token)
        if staff is None:
            raise NotSignedIn(ENDED)
        if not limit.take(token):
            raise TooManyRequests
        g.staff, g.token = staff, token
        acting_from(client_address(asked, trusted_proxies))

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


def current_staff_or_none() -> Staff | None:
    staff: Staff | None = g.get("staff")
    return staff


def only_own(staff: Staff) -> UUID | None:
    """The filter of what a caller sees: a manager their own, an admin all."""
    return None if staff.role is Role.ADMIN else staff.id


def look_again(tokens: Tokens) -> Staff:
    """Who asks, after a wait. Raises NotSignedIn where the token was revoked meanwhile, or its account deactivated."""
    staff = tokens.authenticate(current_token())
    if staff is None:
        raise NotSignedIn(ENDED)
    g.staff = staff
    return staff


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
