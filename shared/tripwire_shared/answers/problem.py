"""What went wrong, as application/problem+json (RFC 9457) says it."""

from uuid import UUID

import msgspec

from tripwire_shared.answers.answer import Answer


class Problem(Answer, frozen=True, kw_only=True):
    """`errors`: by field, where fields are wrong. `request_id`, `user_id`: whose an e-mail is, where it is taken and
    the caller may know. Some carry further members."""

    type: str
    title: str
    status: int
    detail: str
    instance: str = ""
    errors: dict[str, list[str]] = msgspec.field(default_factory=dict)
    request_id: UUID | None = None
    user_id: UUID | None = None
