"""What can go wrong, in words of the domain. A class' docstring is its message; HTTP statuses stand in the API only."""


class TripwireError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").splitlines()[0])


class DatabaseUnavailable(TripwireError):
    """The database cannot be reached or does not answer."""


class DatabaseTakesNoWrites(DatabaseUnavailable):
    """The database takes no writes."""

    # What /readyz and the metrics call it.
    state = "no writes"


class DatabaseReadOnly(DatabaseTakesNoWrites):
    """The database takes no writes: it is read-only."""

    state = "read-only"


class DatabaseFull(DatabaseTakesNoWrites):
    """The database takes no writes: its disk is full."""

    state = "full"


class ConnectionLost(DatabaseUnavailable):
    """The connection to the database broke while a statement was under way; its outcome is unknown."""


class StatementEnded(DatabaseUnavailable):
    """The database ended this one statement: it waited too long for a lock, met a deadlock, or was cancelled."""


class PoolExhausted(DatabaseUnavailable):
    """All database connections of this process are in use for the moment; try again in a second."""


class QueueUnavailable(TripwireError):
    """The queue cannot be reached or did not take the job."""


class IdentityProviderUnavailable(TripwireError):
    """The identity provider cannot be reached, or refuses for the moment; trying again helps."""

    def __init__(self, message: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class IdentityProviderRefused(TripwireError):
    """The identity provider refused; trying again alone will not help."""


class NotFound(TripwireError):
    """There is no such thing, or the caller may not see it."""


class Conflict(TripwireError):
    """What is there already does not allow this."""


class InvalidFields(TripwireError):
    """Some fields are wrong."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__()
        self.errors = errors
