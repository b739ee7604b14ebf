"""Who may become a customer: the three checks before anything is made. Pure.

The checks themselves are made in SQL, for a set at once (`customer_store.sql`), and beneath them stand the constraints
of the tables, so that any race ends the same way. Here stand their names and what a refusal says.
"""

import json

from tripwire_shared.answers.vocabulary import Check

REFUSALS = {
    Check.AUTH_USER: "An auth user with this e-mail address exists already.",
    Check.CUSTOMER: "This auth user is a customer already.",
}
# The facts of a step `provisioned`.
PASSED = json.dumps({"checks": list(Check)})
