"""The words of the API that stand for a state or a kind, in answers, queries and tables alike."""

from enum import StrEnum


class RequestStatus(StrEnum):
    ACCEPTED = "accepted"
    PROVISIONED = "provisioned"
    DUPLICATE = "duplicate"
    FAILED = "failed"


class RequestMode(StrEnum):
    """How a request was processed: by the queue, directly by the mode, or directly because the queue failed."""

    ASYNC = "async"
    SYNC = "sync"
    FALLBACK = "fallback"


class Door(StrEnum):
    """How a request came to an attempt: a worker took it from the queue, the API processes it itself, or the recovery
    sweep found it in the database."""

    QUEUE = "queue"
    DIRECT = "direct"
    SWEEP = "sweep"


class FailureCause(StrEnum):
    """Why an attempt failed; the `cause` of its step."""

    DATABASE_UNREACHABLE = "database_unreachable"
    DATABASE_CONNECTION_LOST = "database_connection_lost"
    DATABASE_REFUSED = "database_refused"
    IDENTITY_PROVIDER = "identity_provider"
    EMAIL_TAKEN_MEANWHILE = "email_taken_meanwhile"
    WORKER_DIED = "worker_died"
    UNEXPECTED = "unexpected"


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


class MailStatus(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


class CustomerStatus(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"
    COMPLETED = "completed"
    BLOCKED = "blocked"


class Role(StrEnum):
    SALES = "sales"
    ADMIN = "admin"


class Mode(StrEnum):
    """The traffic mode: whether new requests go through the queue."""

    ASYNC_QUEUE = "async_queue"
    SYNC_DIRECT = "sync_direct"


class EventType(StrEnum):
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"
    SWITCH = "SWITCH"


class ServerState(StrEnum):
    UP = "up"
    DOWN = "down"


class ChannelState(StrEnum):
    """How messages go out by a channel, such as Telegram."""

    OK = "ok"
    FAILING = "failing"
    NOT_CONFIGURED = "not_configured"


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"


class DeployOutcome(StrEnum):
    DONE = "done"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"
    ABANDONED = "abandoned"


class Language(StrEnum):
    """Of what customers read."""

    ENGLISH = "en"
    RUSSIAN = "ru"
    KAZAKH = "kk"
