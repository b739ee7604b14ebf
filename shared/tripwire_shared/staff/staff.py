"""Staff: who uses the system. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tripwire_shared.answers.vocabulary import Role
from tripwire_shared.errors import Conflict, TripwireError


@dataclass(frozen=True)
class Staff:
    id: UUID
    email: str
    full_name: str
    role: Role
    active: bool


@dataclass(frozen=True)
class StaffChange:
    """What an admin changes; None leaves it as it is."""

    full_name: str | None = None
    role: Role | None = None
    active: bool | None = None
    password: str | None = None


@dataclass(frozen=True)
class Session:
    """A sign-in: the bearer token (shown this once) and when it ends."""

    token: str
    expires_at: datetime
    staff: Staff


class StaffExists(Conflict):
    """Somebody of the staff has this e-mail address already."""


class LastAdmin(Conflict):
    """This is the last active admin; make another one first."""


class WrongCredentials(TripwireError):
    """E-mail or password is not right."""


class LoginThrottled(TripwireError):
    """Too many failed sign-ins; wait a moment, then try again."""
