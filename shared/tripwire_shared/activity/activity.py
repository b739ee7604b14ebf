"""What staff do that others may ask about later. Pure."""

from enum import StrEnum


class Action(StrEnum):
    """The words of the activity log."""

    CUSTOMER_CREATED = "customer created"
    CUSTOMER_STATUS_CHANGED = "customer status changed"
    CUSTOMER_RENAMED = "customer renamed"
    CUSTOMER_ERASED = "customer erased"
    WELCOME_MAIL_RESENT = "welcome mail resent"
    WELCOME_LINK_MADE = "welcome link made"
    REQUEST_RETRIED = "request retried"
    MODE_SWITCHED = "mode switched"
    STAFF_ADDED = "staff added"
    STAFF_CHANGED = "staff changed"
    TOKEN_MADE = "token made"  # noqa: S105  # words, no secrets
    TOKEN_REVOKED = "token revoked"  # noqa: S105
    QUEUE_CHANGED = "queue changed"
