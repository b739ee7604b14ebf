"""Who may become a customer: the three checks before anything is made. Pure.

The checks themselves are made in SQL, for a set at once (`customer_store.sql`), and beneath them stand the constraints
of the tables, so that any race ends the same way. Here stand their names and what a refusal says.
"""

import json
from enum import StrEnum


class Check(StrEnum):
    """In the order in which they are made.

    LIVE_REQUEST: no other request with this address is under way or provisioned. Made when a request is accepted, and
    held from then on by the unique index one_live_request_per_email.
    AUTH_USER: the auth user with this address was not made by somebody else. One that an earlier attempt of this very
    request made is taken over.
    CUSTOMER: neither the address nor its auth user has a customer.
    """

    LIVE_REQUEST = "live_request"
    AUTH_USER = "auth_user"
    CUSTOMER = "customer"


REFUSALS = {
    Check.AUTH_USER: "An auth user with this e-mail address exists already.",
    Check.CUSTOMER: "This auth user is a customer already.",
}
# The facts of a step `provisioned`.
PASSED = json.dumps({"checks": list(Check)})
