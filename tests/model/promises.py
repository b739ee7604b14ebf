"""What has to hold: promises 1 to 3 of the product, and the rules on which they rest."""

from dataclasses import dataclass
from typing import Final

from tests.model.explorer import Property, Step
from tests.model.model_of_requests import ADMIN, CERTAIN, CLOCK, FROZEN, PROCESSES, Requests
from tests.model.state import ACCEPTED, DUPLICATE, ENDED, FAILED, LIVE, PROMISED, PROVISIONED, State

DURABLE: Final = "1. accepted is durable"
NEVER_TWO: Final = "2. never two"
NEVER_HALF: Final = "3. never half"
LEASE: Final = "while a lease runs, only its holder moves the request"
RETRY: Final = "a retry takes nobody's e-mail"
NO_DEAD_END: Final = "what is accepted never waits for something that may not come"
NO_ATTEMPT_LOST: Final = "slow work, Redis, passing failures and a neighbour's errors cost no attempt"
NEIGHBOURS: Final = "a request that kills its process fails nobody else"


@dataclass(frozen=True)
class Promises:
    model: Requests

    def all(self) -> list[Property[State]]:
        """Those that hold in every run."""
        return [
            Property(DURABLE, self.durable, self.ended_stays),
            Property(NEVER_TWO, self.never_two),
            Property(NEVER_HALF, self.never_half),
            Property(LEASE, of_step=self.lease),
            Property(RETRY, of_step=self.retry),
            Property(NO_DEAD_END, self.no_dead_end),
        ]

    def of_calm_runs(self) -> list[Property[State]]:
        """Those that hold too in the runs that CALM and a request that is poison allow."""
        return [Property(NO_ATTEMPT_LOST, self.no_attempt_lost)]

    def with_a_killer(self) -> list[Property[State]]:
        """Those that hold too where one request is poison, and may kill the process that works on it."""
        return [Property(NEIGHBOURS, self.neighbours)]

    def named(self, name: str) -> Property[State]:
        return next(p for p in (*self.all(), *self.of_calm_runs(), *self.with_a_killer()) if p.name == name)

    def durable(self, state: State, steps: list[Step[State]]) -> str | None:
        for request, (name, row) in enumerate(zip(self.model.names, state.rows, strict=True)):
            makers = state.auth_users[self.model.emails[request]]
            if row.status == PROMISED:
                return f"{name} was answered 2xx, and is not stored"
            if row.status == FAILED and not row.said:
                return f"{name} is failed, and nothing says so"
            if row.status == DUPLICATE and all(maker == request for maker in makers):
                return f"{name} is a duplicate, yet nobody else made an auth user"
        return None

    def ended_stays(self, state: State, step: Step[State]) -> str | None:
        for name, before, after in zip(self.model.names, state.rows, step.after.rows, strict=True):
            retried = before.status == FAILED and step.kind == ADMIN
            if before.status in ENDED and after.status != before.status and not retried:
                return f"{name} was {before.status}, and is {after.status} now"
        return None

    def never_two(self, state: State, steps: list[Step[State]]) -> str | None:
        live = tuple(request for request, row in enumerate(state.rows) if row.status in LIVE)
        for email, users in enumerate(state.auth_users):
            if len(users) > 1:
                return "an e-mail has two auth users"
            for what, requests in self._records(state, ("live request", live)):
                if sum(self.model.emails[request] == email for request in requests) > 1:
                    return f"an e-mail has two {what}s"
        return None

    def never_half(self, state: State, steps: list[Step[State]]) -> str | None:
        for request, (name, row) in enumerate(zip(self.model.names, state.rows, strict=True)):
            for what, requests in self._records(state):
                if (request in requests) != (row.status == PROVISIONED):
                    return f"{name} is {row.status}, and has {'a' if request in requests else 'no'} {what}"
            made_user = request in state.auth_users[self.model.emails[request]]
            if row.status == PROVISIONED and not made_user:
                return f"{name} is provisioned, and has no auth user of its own"
            if row.status not in (ACCEPTED, FAILED, PROVISIONED) and made_user:
                return f"{name} is {row.status}, and left an auth user that no retry resumes"
        return None

    def lease(self, state: State, step: Step[State]) -> str | None:
        if step.kind in (CLOCK, FROZEN) or step.after.rows == state.rows:
            return None
        for name, before, after in zip(self.model.names, state.rows, step.after.rows, strict=True):
            held = before.claimed_by in PROCESSES and before.status == ACCEPTED and not before.due
            if held and after != before and step.who != before.claimed_by:
                return f"{before.claimed_by} holds {name}, and {step.who} moves it"
        return None

    def retry(self, state: State, step: Step[State]) -> str | None:
        if step.kind != ADMIN:
            return None
        changed = (i for i, row in enumerate(step.after.rows) if row != state.rows[i])
        for request in changed:
            email = self.model.emails[request]
            others = [maker for maker in state.auth_users[email] if maker != request]
            others += [i for i, row in enumerate(state.rows) if row.status in LIVE and self.model.emails[i] == email]
            if others:
                return f"the e-mail of {self.model.names[request]} is somebody else's"
        return None

    def no_dead_end(self, state: State, steps: list[Step[State]]) -> str | None:
        waiting = tuple(i for i, row in enumerate(state.rows) if row.status == ACCEPTED)
        if waiting and not any(step.kind in CERTAIN for step in steps):
            return f"nothing is sure to come for {self._named(waiting)}"
        return None

    def no_attempt_lost(self, state: State, steps: list[Step[State]]) -> str | None:
        for request, (name, row) in enumerate(zip(self.model.names, state.rows, strict=True)):
            if request != self.model.poison and (row.attempts > 1 or row.status in (DUPLICATE, FAILED)):
                return f"{name} is {row.status}" + (" for a second attempt" if row.attempts > 1 else "")
        return None

    def neighbours(self, state: State, steps: list[Step[State]]) -> str | None:
        for request, (name, row) in enumerate(zip(self.model.names, state.rows, strict=True)):
            if request != self.model.poison and row.status == FAILED:
                return f"{name} is failed, and did nothing"
        return None

    def _records(self, state: State, *more: tuple[str, tuple[int, ...]]) -> list[tuple[str, tuple[int, ...]]]:
        return [("customer", state.customers), ("sale", state.sales), ("mail", state.mails), *more]

    def _named(self, ids: tuple[int, ...]) -> str:
        return " and ".join(self.model.names[i] for i in ids)
