"""Who is signed in, as the session cookie holds it."""

from dataclasses import dataclass

from tripwire_admin_ui.api.failures import ApiFailure
from tripwire_shared.answers.staff import Session
from tripwire_shared.answers.vocabulary import Role

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
        return self.role == Role.ADMIN


def signed_in(session: Session) -> SignedIn:
    """Raises ApiFailure for what no cookie could hold."""
    staff = session.staff
    if len(session.token) > TOKEN_AT_MOST or len(staff.email) > EMAIL_AT_MOST:
        raise ApiFailure("The answer of the API is too long for a session.")
    return SignedIn(session.token, staff.email, staff.full_name, staff.role.value)
