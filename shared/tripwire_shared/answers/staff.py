"""Staff, their tokens and sessions (contract, section 5)."""

from uuid import UUID

from tripwire_shared.answers.answer import Answer, Moment
from tripwire_shared.answers.vocabulary import Role
from tripwire_shared.email_address import readable_email


class StaffName(Answer, frozen=True, kw_only=True):
    """A member of staff as others name one: whose customer, who did it."""

    id: UUID
    email: str
    full_name: str

    @classmethod
    def of(cls, staff_id: UUID, email: str, full_name: str) -> "StaffName":
        return cls(id=staff_id, email=readable_email(email), full_name=full_name)


class StaffMember(StaffName, frozen=True, kw_only=True):
    role: Role
    active: bool


class ListedMember(StaffMember, frozen=True, kw_only=True):
    """`tokens`: those that programs can use now; `last_seen_at`: with any token or session, to the minute."""

    created_at: Moment
    tokens: int
    last_seen_at: Moment | None


class StaffList(Answer, frozen=True, kw_only=True):
    staff: tuple[ListedMember, ...]


class MadeToken(Answer, frozen=True, kw_only=True):
    """`token` is the secret itself, shown this once."""

    id: UUID
    token: str
    name: str
    created_at: Moment
    expires_at: Moment | None


class ApiToken(Answer, frozen=True, kw_only=True):
    """`created_by` is None where nobody signed in made it."""

    id: UUID
    name: str
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None
    created_by: StaffName | None


class TokenList(Answer, frozen=True, kw_only=True):
    tokens: tuple[ApiToken, ...]


class Session(Answer, frozen=True, kw_only=True):
    """A sign-in: the bearer token (shown this once) and when it ends."""

    token: str
    expires_at: Moment
    staff: StaffMember
