"""What the model knows of the world: rows, and what each process has in hand. All of it immutable.

What is not here needs no place. A client's answer: every row that is stored is one that may have been answered 2xx, and
must be kept as such. Redis: it may give any id at any time, twice, late or never; so whatever it is, it is allowed.
"""

from typing import Final, NamedTuple

ABSENT: Final = "absent"
PROMISED: Final = "promised"
"""Answered 2xx while no row is stored. Only a broken rule leads here."""
ACCEPTED: Final = "accepted"
PROVISIONED: Final = "provisioned"
DUPLICATE: Final = "duplicate"
FAILED: Final = "failed"
LIVE: Final = (ACCEPTED, PROVISIONED)
ENDED: Final = (PROVISIONED, DUPLICATE, FAILED)

NOBODY: Final = ""
SOMEBODY_ELSE: Final = -1
"""Made an auth user without any request: it came from outside of this system."""

IDLE: Final = "idle"
CLAIMED: Final = "claimed"
LOOKED: Final = "looked"
"""Its statement has taken its snapshot, and has not committed yet."""


class Row(NamedTuple):
    """A row of `provisioning_requests`, as far as any statement will still ask for it.

    `attempts`: of an accepted one. `claimed_by`: a process that lives; that of a dead one is the same as nobody, as no
    claim bears that name again. `due`: `due_at` is past. `put_off`: nobody has it, and its last attempt failed for a
    passing reason (`passing_failures` > 0). `said`: the CRITICAL event of its failure is stored.
    """

    status: str = ABSENT
    attempts: int = 0
    claimed_by: str = NOBODY
    due: bool = False
    put_off: bool = False
    said: bool = False


class Process(NamedTuple):
    """Works on claims: a worker, a sweep, or an API on the direct path. All of this is gone when it dies.

    `ids`: the requests in hand, of one claim. `alone`: they go one by one, the first next. `saw`: for each of those
    that go next, who had made auth users of its e-mail when the snapshot was taken.
    """

    at: str = IDLE
    ids: tuple[int, ...] = ()
    alone: bool = False
    saw: tuple[tuple[int, ...], ...] = ()


class State(NamedTuple):
    """`auth_users`: for each e-mail, who made its auth users: requests, or somebody else. `customers`, `sales` and
    `mails`: the requests that have such a row."""

    rows: tuple[Row, ...]
    processes: tuple[Process, ...]
    auth_users: tuple[tuple[int, ...], ...]
    customers: tuple[int, ...] = ()
    sales: tuple[int, ...] = ()
    mails: tuple[int, ...] = ()

    def with_row(self, request: int, row: Row) -> "State":
        return self._replace(rows=(*self.rows[:request], row, *self.rows[request + 1 :]))

    def with_process(self, who: int, process: Process) -> "State":
        return self._replace(processes=(*self.processes[:who], process, *self.processes[who + 1 :]))

    def with_auth_user(self, email: int, maker: int) -> "State":
        users = (*self.auth_users[email], maker)
        return self._replace(auth_users=(*self.auth_users[:email], users, *self.auth_users[email + 1 :]))
