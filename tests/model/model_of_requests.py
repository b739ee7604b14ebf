"""Who may do what at each moment: clients, processes that work on claims, clocks, admins, outsiders, and death.

The statements stand in `statements.py`. A step of a kind in CERTAIN comes while nothing else makes it impossible: the
code goes on, time passes. The others may come or not; nothing may hang on them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, compress
from typing import Final

from tests.model.explorer import Step
from tests.model.state import ABSENT, ACCEPTED, CLAIMED, NOBODY, PROMISED, SOMEBODY_ELSE, Process, Row, State
from tests.model.statements import Rules, Statements, claimed

# Kinds of steps.
WORK: Final = "work"
CLOCK: Final = "clock"
CERTAIN: Final = frozenset({WORK, CLOCK})
CLIENT: Final = "client"
REDIS: Final = "redis"
TROUBLE: Final = "trouble"
ERROR: Final = "error"
PASSING: Final = "passing"
FROZEN: Final = "frozen"
CRASH: Final = "crash"
OUTSIDE: Final = "outside"
ADMIN: Final = "admin"
# Nothing dies, freezes or fails for good, no admin steps in, and nobody else comes in with an e-mail.
CALM: Final = frozenset({*CERTAIN, CLIENT, REDIS, TROUBLE, PASSING})
ALL: Final = frozenset({*CERTAIN, CLIENT, REDIS, TROUBLE, ERROR, PASSING, FROZEN, CRASH, OUTSIDE, ADMIN})

SET_SIZE: Final = 2
# Each may do what a worker, a sweep and the API's direct path do: more than two workers and an API may.
PROCESSES: Final = ("process 1", "process 2", "process 3")

Steps = Iterator[Step[State]]


@dataclass(frozen=True)
class Requests:
    """`names` of the requests and, in the same order, the numbers of their `emails`.

    `outside_identity`: an identity provider makes auth users before the statement. `allowed`: the kinds of steps.
    `poison`: the one request that fails its attempts or kills its process; where it is None, each may. `merged`: states
    that differ in nothing that matters are one.
    """

    rules: Rules = field(default_factory=Rules)
    names: tuple[str, ...] = ("anna", "anna again", "berik")
    emails: tuple[int, ...] = (0, 0, 1)
    outside_identity: bool = False
    allowed: frozenset[str] = ALL
    poison: int | None = None
    merged: bool = True
    # Passing failures (for an hour) and an admin's retries have no end of their own.
    endless: frozenset[str] = frozenset({PASSING, ADMIN})

    @cached_property
    def sql(self) -> Statements:
        return Statements(self.rules, self.emails)

    def initial(self) -> State:
        no_users: tuple[tuple[int, ...], ...] = ((),) * (max(self.emails) + 1)
        return State((Row(),) * len(self.names), (Process(),) * len(PROCESSES), no_users)

    def steps(self, state: State) -> Steps:
        for step in self._steps(state):
            if step.kind in self.allowed and step.after != state:
                yield step._replace(after=self.without_lost_claims(step.after)) if self.merged else step

    def canonical(self, state: State) -> State:
        """Processes are alike: those with most in hand come first."""
        if not self.merged:
            return state
        busy = [
            (process == Process(), process, [row.claimed_by == name for row in state.rows] if process.ids else [])
            for process, name in zip(state.processes, PROCESSES, strict=True)
        ]
        order = sorted(range(len(PROCESSES)), key=busy.__getitem__)
        if order == list(range(len(PROCESSES))):
            return state
        new_name = {PROCESSES[old]: PROCESSES[new] for new, old in enumerate(order)}
        rows = tuple(r._replace(claimed_by=new_name[r.claimed_by]) if r.claimed_by else r for r in state.rows)
        return state._replace(rows=rows, processes=tuple(state.processes[old] for old in order))

    def without_lost_claims(self, state: State) -> State:
        """A claim that was lost is no claim: while the fence holds, whatever its process still does changes nothing,
        and no later claim bears its name."""
        if not self.rules.fence:
            return state
        for who, (process, name) in enumerate(zip(state.processes, PROCESSES, strict=True)):
            if process.ids and (without := self._without_lost(state, process, name)) != process:
                state = state.with_process(who, without)
        return state

    def _without_lost(self, state: State, process: Process, name: str) -> Process:
        """A call of the identity provider has its effect whoever holds the claim by then: it may still be made."""
        calls = process.at == CLAIMED and self.outside_identity
        kept = [
            self.sql.is_ours(state.rows[i], name) or (calls and not state.auth_users[self.emails[i]])
            for i in process.ids
        ]
        if not any(kept):
            return Process()
        if process.alone or all(kept):
            return process
        ids, saw = tuple(compress(process.ids, kept)), tuple(compress(process.saw, kept))
        return process._replace(ids=ids, saw=saw)

    def _steps(self, state: State) -> Steps:
        for request in range(len(self.names)):
            yield from self._call(state, request)
            yield from self._of_nobody(state, request)
        for who, process in enumerate(state.processes):
            if process == Process():
                yield from self._begins(state, who)
                continue
            yield from self._prepares(state, who) if process.at == CLAIMED else self._commits(state, who)
            if self.poison is None or self.poison in process.ids:
                yield Step(PROCESSES[who], CRASH, "dies", self._dead(state, who))

    def _call(self, state: State, request: int) -> Steps:
        """intake/accept.py. What follows the row (the push of its id, the answer, or death before either) changes
        nothing here; the direct path goes on in `_begins`. So does a refusal: it may come again."""
        name, row = self.names[request], state.rows[request]
        if (stored := self.sql.accept(state, request)) is not None:
            yield Step("API", CLIENT, f"stores {name} (accept)", stored)
            if not self.rules.answer_after_commit:
                promised = state.with_row(request, row._replace(status=PROMISED))
                yield Step("API", CLIENT, f"answers 202 for {name} before it is stored", promised)

    def _of_nobody(self, state: State, request: int) -> Steps:
        name, row = self.names[request], state.rows[request]
        if row.status == ACCEPTED and not row.due:
            yield from self._time(state, request)
        if (given_up := self.sql.give_up(state, request)) is not None:
            yield Step("a sweep", WORK, f"ends {name}, which has no attempt left (give_up)", given_up)
        if (retried := self.sql.retry(state, request)) is not None:
            yield Step("an admin", ADMIN, f"takes {name} up again (retry)", retried)
        email = self.emails[request]
        if row.status != ABSENT and not state.auth_users[email]:
            signed_up = state.with_auth_user(email, SOMEBODY_ELSE)
            yield Step("somebody else", OUTSIDE, f"makes an auth user with the e-mail of {name}", signed_up)

    def _time(self, state: State, request: int) -> Steps:
        """`due_at` passes: of a head start, a pause after a failure, or a lease."""
        name, row = self.names[request], state.rows[request]
        after = state.with_row(request, row._replace(due=True))
        if row.claimed_by != NOBODY:
            kind = FROZEN if self.rules.lease_covers_attempt else CLOCK
            yield Step("time", kind, f"runs out for {row.claimed_by}: its lease of {name} is over", after)
        elif row.attempts or self.rules.due_by_itself:
            yield Step("time", CLOCK, f"makes {name} due", after)

    def _begins(self, state: State, who: int) -> Steps:
        """A worker's claim: a job's id and those of its siblings (LPOP), of which it forgets what it does not claim; or
        an API's, of its own request (intake/accept.py). A sweep's (tripwire_worker/sweep.py)."""
        rows, name = state.rows, PROCESSES[who]
        new = [i for i, row in enumerate(rows) if self.sql.may_claim(row)]
        for ids in self._sets(new):
            text = f"has {self._named(ids)} from the queue, or as an API, and claims (claim)"
            yield Step(name, REDIS, text, self.sql.claim(state, who, name, ids))
        due = [i for i, row in enumerate(rows) if self.sql.may_claim_due(row)]
        for ids in self._sets(due):
            if len(ids) == 1 or not any(self.sql.goes_alone(rows[i]) for i in ids):
                claims = self.sql.claim(state, who, name, ids)
                yield Step(name, WORK, f"sweeps up {self._named(ids)} (claim_due)", claims)

    def _sets(self, ids: list[int]) -> Iterator[tuple[int, ...]]:
        """An outside identity provider is asked for one at a time: then each is a set of its own."""
        for size in range(1, 1 + (1 if self.outside_identity else SET_SIZE)):
            yield from combinations(ids, size)

    def _prepares(self, state: State, who: int) -> Steps:
        """provisioning/preparation.py: outside any transaction. The identity provider makes one user for an e-mail, or
        says that there is one; then the lease begins anew."""
        ids, name = state.processes[who].ids, PROCESSES[who]
        missing = [i for i in ids if not state.auth_users[self.emails[i]]] if self.outside_identity else []
        for request in missing[:1]:
            made = state.with_auth_user(self.emails[request], request)
            yield Step(name, WORK, f"has the provider make a user for {self.names[request]} (prepare)", made)
        if not missing:
            yield Step(name, WORK, f"renews its lease of {self._named(ids)} (renew)", self.sql.renew(state, who, name))
        for request in missing[:1] or ids:
            yield from self._fails(state, who, (request,))

    def _commits(self, state: State, who: int) -> Steps:
        """The one statement. It may fail, and its answer may be lost after the commit: then it is taken as failed."""
        process, name = state.processes[who], PROCESSES[who]
        turn = process.ids[: len(process.saw)]
        done = self.sql.provision(state, who, name)
        yield Step(name, WORK, f"commits {self._named(turn)} (provision)", done)
        if done.rows != state.rows:
            unsure = done.with_process(who, process)
            yield Step(name, TROUBLE, f"commits {self._named(turn)} (provision), and does not hear of it", unsure)
        if len(turn) == 1:
            yield from self._fails(state, who, turn)
        elif self.rules.failed_set_is_repeated:
            one_by_one = state.with_process(who, claimed(process.ids, alone=True))
            yield Step(name, TROUBLE, f"has its statement for {self._named(turn)} fail: one by one", one_by_one)
        else:
            yield from self._fails(state, who, turn)

    def _fails(self, state: State, who: int, ids: tuple[int, ...]) -> Steps:
        """The error itself changes nothing: it is one step with the statement that notes it."""
        name, whom = PROCESSES[who], self._named(ids)
        put_off = self.sql.put_off(state, who, name, ids, over=False)
        yield Step(name, PASSING, f"fails for a passing reason with {whom} (put_off)", put_off)
        if self.poison is None or self.poison in ids:
            yield Step(name, ERROR, f"fails with {whom} (fail)", self.sql.fail(state, who, name, ids))
            over = self.sql.put_off(state, who, name, ids, over=True)
            yield Step(name, ERROR, f"has failed for too long with {whom} (put_off)", over)

    def _dead(self, state: State, who: int) -> State:
        rows = (r._replace(claimed_by=NOBODY) if r.claimed_by == PROCESSES[who] else r for r in state.rows)
        return state._replace(rows=tuple(rows)).with_process(who, Process())

    def _named(self, ids: tuple[int, ...]) -> str:
        return " and ".join(self.names[i] for i in ids)
