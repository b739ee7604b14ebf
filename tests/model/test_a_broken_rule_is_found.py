"""The model can fail: each rule of the code, broken in the model, is found, with the shortest way to the harm.

`pytest tests/model -k broken -s` prints the ways.
"""

from dataclasses import dataclass, replace

import pytest

from tests.model.explorer import EVERY_RUN_ENDS, Violation, explore
from tests.model.model_of_requests import ALL, CALM, CERTAIN, CLIENT, CRASH, ERROR, Requests
from tests.model.promises import (
    DURABLE,
    LEASE,
    NEIGHBOURS,
    NEVER_HALF,
    NEVER_TWO,
    NO_ATTEMPT_LOST,
    NO_DEAD_END,
    RETRY,
    Promises,
)
from tests.model.statements import Rules

ONE = Requests(names=("anna",), emails=(0,))
TWO_OF_ONE = Requests(names=("anna", "anna again"), emails=(0, 0))
TWO = Requests(names=("anna", "berik"), emails=(0, 1))
POISON = replace(TWO, poison=1)
# Where not everything may happen. A run that does not end is one in which an attempt kills its process each time.
ALLOWED = {
    NO_ATTEMPT_LOST: CALM | {ERROR},
    NEIGHBOURS: CALM | {ERROR, CRASH},
    EVERY_RUN_ENDS: CERTAIN | {CLIENT, CRASH},
}


@dataclass(frozen=True)
class Break:
    """`rules`: those that are broken, and the promise that they break; `among`: the requests that show it."""

    rules: tuple[str, ...]
    promise: str
    among: Requests


BREAKS = {
    "no fence": Break(("fence",), LEASE, ONE),
    "neither fence nor state asked": Break(("fence", "asks_state"), DURABLE, ONE),
    "a lease shorter than the attempt": Break(("lease_covers_attempt",), NO_ATTEMPT_LOST, POISON),
    "answering before the row is committed": Break(("answer_after_commit",), DURABLE, ONE),
    "a claim not counted in its own commit": Break(("claim_counts",), EVERY_RUN_ENDS, ONE),
    "a set's statement not atomic": Break(("one_statement",), NEVER_HALF, TWO),
    "no unique live e-mail": Break(("live_email_index",), NEVER_TWO, TWO_OF_ONE),
    "no unique e-mail of auth users": Break(("auth_user_index",), NEVER_TWO, ONE),
    "a conflict not looked at again": Break(("conflict_is_looked_at",), NEVER_HALF, ONE),
    "an outside auth user that names no request": Break(
        ("user_names_request",), DURABLE, replace(ONE, outside_identity=True)
    ),
    "an id lost in Redis, and no row that is due by itself": Break(("due_by_itself",), NO_DEAD_END, ONE),
    "the sweep takes running leases": Break(("sweep_waits_for_due",), LEASE, ONE),
    "the queue takes running leases": Break(("claim_takes_new",), LEASE, ONE),
    "tried requests in a set": Break(("tried_go_alone",), NEIGHBOURS, POISON),
    "a set that fails as a whole": Break(("failed_set_is_repeated",), NO_ATTEMPT_LOST, POISON),
    "a passing failure that counts": Break(("passing_is_given_back",), NO_ATTEMPT_LOST, POISON),
    "a retry that does not look who has the e-mail": Break(("retry_looks",), RETRY, ONE),
    "nobody ends what has no attempt left": Break(("exhausted_end",), NO_DEAD_END, ONE),
    "a failure said in another commit": Break(("failure_is_said_with_it",), DURABLE, ONE),
}


def found(model: Requests, promise: str) -> Violation | None:
    """Asks for this promise alone, so that the way to its breach is what is seen."""
    model = replace(model, allowed=ALLOWED.get(promise, ALL))
    if promise == EVERY_RUN_ENDS:
        return explore(model, []).endless_run()
    return explore(model, [Promises(model).named(promise)]).violation


@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS)
def test_a_broken_rule_is_found(broken: Break) -> None:
    assert found(broken.among, broken.promise) is None, "the promise is broken with all rules kept"
    rules = replace(Rules(), **dict.fromkeys(broken.rules, False))
    violation = found(replace(broken.among, rules=rules), broken.promise)
    assert violation is not None, "nothing noticed"
    print(f"\nWithout {', '.join(broken.rules)}:\n{violation}")
    assert violation.broken == broken.promise
    assert violation.trace


def test_every_rule_is_broken_once() -> None:
    assert {rule for broken in BREAKS.values() for rule in broken.rules} == set(Rules.__dataclass_fields__)
