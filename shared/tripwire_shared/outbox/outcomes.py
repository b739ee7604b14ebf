"""How a delivery may end, besides well."""

from typing import Protocol

from tripwire_shared.errors import TripwireError


class DeliveryFailed(TripwireError):
    """The message could not be delivered. `retry_after`: seconds that the receiver asked for."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class FailedForGood(DeliveryFailed):
    """The message could not be delivered and never will be: another try would end the same."""


class OutcomeUnknown(DeliveryFailed):
    """All of the message is out, and the receiver did not say whether it has it: another try may be a second copy."""


class NothingToDeliver(TripwireError):
    """The message has lost its sense meanwhile and is closed without being sent."""


class LateAnswer(Protocol):
    """All of a message is out, and its receiver still thinks."""

    def wait(self) -> None:
        """Until it is delivered. Raises DeliveryFailed. Ends by itself, within minutes."""

    def cut(self) -> None:
        """Ends the wait of another thread now."""
