"""Who may become a customer: the three checks before anything is made. Pure.

Beneath them stand the constraints of the tables, so that any race ends the same way.
"""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Existing:
    """What the database knows about the e-mail of a request.

    `recent_user_id`: another request provisioned it within the window; `auth_user_id` and the request that
    `auth_made_by` names: the auth user; `customer_user_id`: a customer with that auth user.
    """

    recent_user_id: UUID | None
    auth_user_id: UUID | None
    auth_made_by: str | None
    customer_user_id: UUID | None


@dataclass(frozen=True)
class Verdict:
    """`duplicate`: why nothing is made, in a sentence, and whose it is (`user_id`).

    `resume`: the auth user that an earlier attempt made.
    """

    duplicate: str | None = None
    user_id: UUID | None = None
    resume: UUID | None = None


def judge(request_id: UUID, existing: Existing) -> Verdict:
    """Layer 1: recently done. Layer 2: the auth user is somebody else's. Layer 3: the customer is there."""
    if existing.recent_user_id is not None:
        return Verdict("Provisioned moments ago by another request.", existing.recent_user_id)
    if existing.auth_user_id is None:
        return Verdict()
    if existing.auth_made_by != str(request_id):
        return Verdict("An auth user with this e-mail address exists already.", existing.auth_user_id)
    if existing.customer_user_id is not None:
        return Verdict("This auth user is a customer already.", existing.customer_user_id)
    return Verdict(resume=existing.auth_user_id)
