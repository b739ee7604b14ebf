"""Health events: what happened, how grave it is, and the facts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class EventType(StrEnum):
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"
    SWITCH = "SWITCH"


@dataclass(frozen=True)
class Event:
    """`metadata` must be JSON, and names customers by id only: no e-mail, password or token of theirs."""

    type: EventType
    message: str
    metadata: Mapping[str, object] = field(default_factory=dict)

    @property
    def alerts(self) -> bool:
        """Whether it goes to Telegram by itself."""
        return self.type in (EventType.CRITICAL, EventType.SWITCH)
