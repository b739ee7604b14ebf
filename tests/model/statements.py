"""The statements of the code, each as a function from the state before its commit to the state after it.

Where the code keeps a rule, the statement asks `Rules` for it, so that a test can break it.
"""

from dataclasses import dataclass

from tests.model.state import (
    ABSENT,
    ACCEPTED,
    CLAIMED,
    DUPLICATE,
    FAILED,
    LIVE,
    LOOKED,
    PROVISIONED,
    Process,
    Row,
    State,
)

# A first and a last one.
MAX_ATTEMPTS = 2


@dataclass(frozen=True)
class Rules:
    """The rules that the code keeps. One that is False is broken."""

    fence: bool = True  # a statement moves a request only where `claimed_by` is its own claim's …
    asks_state: bool = True  # … and `status` is accepted
    lease_covers_attempt: bool = True  # a lease ends under its holder only where that is frozen
    answer_after_commit: bool = True  # 2xx only once the row is committed
    claim_counts: bool = True  # the attempt is counted in the claim's own commit
    one_statement: bool = True  # a customer with all that belongs to it is one statement
    live_email_index: bool = True  # UNIQUE (email) WHERE status IN ('accepted', 'provisioned')
    auth_user_index: bool = True  # UNIQUE (email) on auth.users
    conflict_is_looked_at: bool = True  # ON CONFLICT DO NOTHING gave no row: looked at again, alone
    user_names_request: bool = True  # the auth user's metadata names the request that made it
    due_by_itself: bool = True  # an accepted row has a `due_at`, whatever becomes of its id in Redis
    sweep_waits_for_due: bool = True  # claim_due takes only what is due
    claim_takes_new: bool = True  # claim, which does not wait for `due_at`, takes only what has no attempt behind it
    tried_go_alone: bool = True  # claim_due takes a request with an attempt behind it alone
    failed_set_is_repeated: bool = True  # a set whose statement fails is done again, one by one
    passing_is_given_back: bool = True  # put_off gives the attempt back
    retry_looks: bool = True  # retry asks whether somebody has the e-mail
    exhausted_end: bool = True  # the sweep ends what has no attempt left
    failure_is_said_with_it: bool = True  # the CRITICAL event and `failed` are one commit


@dataclass(frozen=True)
class Statements:
    """`emails`: for each request the number of its e-mail. `owner` is the process' name in `claimed_by`."""

    rules: Rules
    emails: tuple[int, ...]

    def accept(self, state: State, request: int) -> State | None:
        """requests/request_store.sql: accept. None: it is there already, or somebody has the e-mail."""
        if state.rows[request].status != ABSENT or state.auth_users[self.emails[request]]:
            return None
        if self.rules.live_email_index and self._other_is_live(state, request):
            return None
        return state.with_row(request, Row(ACCEPTED))

    def may_claim(self, row: Row) -> bool:
        """The condition of requests/claims.sql: claim. For what the queue brings, and what an API creates itself."""
        if row.status != ACCEPTED or row.attempts >= MAX_ATTEMPTS:
            return False
        return (row.attempts == 0 or not self.rules.claim_takes_new) and (row.due or not row.put_off)

    def may_claim_due(self, row: Row) -> bool:
        """The condition of requests/claims.sql: claim_due. For the sweep."""
        due = row.due or not self.rules.sweep_waits_for_due
        return row.status == ACCEPTED and row.attempts < MAX_ATTEMPTS and due

    def goes_alone(self, row: Row) -> bool:
        """Which claim_due takes as a set of one."""
        return self.rules.tried_go_alone and (row.attempts > 0 or row.put_off)

    def claim(self, state: State, who: int, owner: str, requests: tuple[int, ...]) -> State:
        """requests/claims.sql: claim, claim_due. Its own commit. `due_at` is the lease from here on."""
        for request in requests:
            row = state.rows[request]
            attempts = row.attempts + 1 if self.rules.claim_counts else row.attempts
            state = state.with_row(request, Row(ACCEPTED, attempts, claimed_by=owner))
        return state.with_process(who, claimed(requests))

    def is_ours(self, row: Row, owner: str) -> bool:
        """WHERE status = 'accepted' AND claimed_by = :owner, on the row's newest version, as it is locked first."""
        return (row.status == ACCEPTED or not self.rules.asks_state) and (
            row.claimed_by == owner or not self.rules.fence
        )

    def renew(self, state: State, who: int, owner: str) -> State:
        """requests/claims.sql: renew. The process goes on with those that are still its own."""
        ours = tuple(i for i in state.processes[who].ids if self.is_ours(state.rows[i], owner))
        for request in ours:
            state = state.with_row(request, state.rows[request]._replace(due=False))
        return self.look(state, who, ours)

    def look(self, state: State, who: int, ids: tuple[int, ...]) -> State:
        """The snapshot of the next `provision`, of all `ids` or of the first alone.

        It is taken with the renewal: what others do between the two may as well come before both.
        """
        alone = state.processes[who].alone
        saw = tuple(state.auth_users[self.emails[i]] for i in (ids[:1] if alone else ids))
        return state.with_process(who, Process(LOOKED, ids, alone, saw) if ids else Process())

    def provision(self, state: State, who: int, owner: str) -> State:
        """provisioning/customer_store.sql: provision. One statement for the whole set: all of it or nothing.

        The checks read the snapshot (`saw`); the locks and the unique indexes know the newest rows.
        """
        process, left = state.processes[who], list(state.processes[who].ids)
        for request, saw in zip(process.ids, process.saw, strict=False):
            after = self._provision_one(state, request, saw) if self.is_ours(state.rows[request], owner) else state
            if after is not None:
                state = after
                left.remove(request)
        return state.with_process(who, claimed(tuple(left), alone=True))

    def _provision_one(self, state: State, request: int, saw: tuple[int, ...]) -> State | None:
        """None: an auth user with the e-mail appeared behind the snapshot (ON CONFLICT gave no row)."""
        email = self.emails[request]
        if saw and not self._to_resume(state, request, saw):
            return state.with_row(request, Row(DUPLICATE))
        if not saw:
            if not state.auth_users[email] or not self.rules.auth_user_index:
                state = state.with_auth_user(email, request)
            elif self.rules.conflict_is_looked_at:
                return None
        state = state._replace(customers=_and(state.customers, request))
        if not self.rules.one_statement:
            return state  # committed; the rest would follow
        state = state._replace(sales=_and(state.sales, request), mails=_and(state.mails, request))
        return state.with_row(request, Row(PROVISIONED))

    def _to_resume(self, state: State, request: int, saw: tuple[int, ...]) -> bool:
        """provisioning/customer_rules.py: an earlier attempt's auth user that is no customer yet."""
        return saw == (request,) and self.rules.user_names_request and request not in state.customers

    def fail(self, state: State, who: int, owner: str, requests: tuple[int, ...]) -> State:
        """requests/claims.sql: fail. Due again after a pause, or failed for good after the last attempt."""
        for request in requests:
            row = state.rows[request]
            if self.is_ours(row, owner):
                used = row.attempts if self.rules.claim_counts else row.attempts + 1
                state = state.with_row(request, Row(ACCEPTED, used) if used < MAX_ATTEMPTS else self._failed())
        return self._without(state, who, requests)

    def put_off(self, state: State, who: int, owner: str, requests: tuple[int, ...], *, over: bool) -> State:
        """requests/claims.sql: put_off. A passing failure; `over`: it has gone on for too long, and is one for good."""
        for request in requests:
            row = state.rows[request]
            if self.is_ours(row, owner):
                used = row.attempts - 1 if self.rules.passing_is_given_back else row.attempts
                waits = Row(ACCEPTED, max(used, 0), put_off=True)
                state = state.with_row(request, self._failed() if over else waits)
        return self._without(state, who, requests)

    def _without(self, state: State, who: int, requests: tuple[int, ...]) -> State:
        """The process goes on with the rest of its claim, if any."""
        process = state.processes[who]
        rest = tuple(i for i in process.ids if i not in requests)
        return state.with_process(who, claimed(rest, alone=process.alone or process.at == LOOKED))

    def give_up(self, state: State, request: int) -> State | None:
        """requests/claims.sql: waiting, give_up. None: it is not due, or has an attempt left."""
        row = state.rows[request]
        if row.status != ACCEPTED or not row.due or row.attempts < MAX_ATTEMPTS or not self.rules.exhausted_end:
            return None
        return state.with_row(request, self._failed())

    def retry(self, state: State, request: int) -> State | None:
        """requests/request_store.sql: retry. None: it is not failed, or somebody has the e-mail."""
        if state.rows[request].status != FAILED:
            return None
        others_user = any(maker != request for maker in state.auth_users[self.emails[request]])
        if self.rules.retry_looks and (others_user or self._other_is_live(state, request)):
            return None
        if self.rules.live_email_index and self._other_is_live(state, request):
            return None
        return state.with_row(request, Row(ACCEPTED, due=True))

    def _other_is_live(self, state: State, request: int) -> bool:
        return any(
            row.status in LIVE and other != request and self.emails[other] == self.emails[request]
            for other, row in enumerate(state.rows)
        )

    def _failed(self) -> Row:
        return Row(FAILED, said=self.rules.failure_is_said_with_it)


def claimed(ids: tuple[int, ...], *, alone: bool = False) -> Process:
    """Has these in hand, and nothing done for them."""
    return Process(CLAIMED, ids, alone and len(ids) > 1) if ids else Process()


def _and(rows: tuple[int, ...], request: int) -> tuple[int, ...]:
    return tuple(sorted({*rows, request}))
