"""Every state that three requests, two of them with one e-mail, can reach, whatever comes when."""

from dataclasses import replace

import pytest

from tests.model.explorer import explore
from tests.model.model_of_requests import ALL, CALM, CRASH, ERROR, Requests
from tests.model.promises import Promises
from tests.model.state import ACCEPTED, DUPLICATE, FAILED, PROVISIONED

IDENTITY = pytest.mark.parametrize("outside_identity", [False, True], ids=["own identity", "outside identity"])
ENDS = {ACCEPTED, PROVISIONED, DUPLICATE, FAILED}


@pytest.mark.timeout(180)  # half a million steps: ten seconds, more on a slow or busy machine
@pytest.mark.parametrize(
    "outside_identity", [False, pytest.param(True, marks=pytest.mark.long)], ids=["own identity", "outside identity"]
)
def test_every_interleaving_keeps_the_promises_and_ends(outside_identity: bool) -> None:
    """It ends: in each state something is sure to come for whoever waits, and no run goes on for ever but by passing
    failures and retries. So every run in which those stop ends every accepted request, whatever comes when."""
    model = Requests(outside_identity=outside_identity)
    exploration = explore(model, Promises(model).all())
    print(f"{len(exploration.states)} states, {exploration.steps} steps")
    assert exploration.violation is None, str(exploration.violation)
    endless = exploration.endless_run()
    assert endless is None, str(endless)
    # Not for want of anything to see: each kind of step was taken, and requests came to each of their ends.
    assert exploration.kinds == ALL
    assert {row.status for state in exploration.states for row in state.rows} >= ENDS


@IDENTITY
@pytest.mark.parametrize("poison", [0, 2], ids=["poison has a rival", "poison has none"])
def test_whoever_does_nothing_wrong_is_provisioned_at_the_first_attempt(outside_identity: bool, poison: int) -> None:
    """Where nothing dies or freezes, and errors are another request's: the first's, whose end lets the second in, or
    the third's."""
    model = Requests(outside_identity=outside_identity, allowed=CALM | {ERROR}, poison=poison)
    exploration = explore(model, Promises(model).of_calm_runs())
    assert exploration.violation is None, str(exploration.violation)


@IDENTITY
@pytest.mark.parametrize("poison", [0, 2], ids=["poison has a rival", "poison has none"])
def test_a_request_that_kills_its_process_fails_nobody_else(outside_identity: bool, poison: int) -> None:
    model = Requests(outside_identity=outside_identity, allowed=CALM | {ERROR, CRASH}, poison=poison)
    exploration = explore(model, Promises(model).with_a_killer())
    assert exploration.violation is None, str(exploration.violation)


@IDENTITY
@pytest.mark.parametrize("names", [("anna",), ("anna", "anna again")], ids=len)
def test_merging_states_hides_none(names: tuple[str, ...], outside_identity: bool) -> None:
    """With every state kept as it is, the same ones are reached, and the promises hold in each."""
    merged = Requests(names=names, emails=(0,) * len(names), outside_identity=outside_identity)
    plain = replace(merged, merged=False)
    exploration = explore(plain, Promises(plain).all())
    assert exploration.violation is None, str(exploration.violation)
    seen = {merged.canonical(merged.without_lost_claims(state)) for state in exploration.states}
    assert seen == set(explore(merged, []).states)
