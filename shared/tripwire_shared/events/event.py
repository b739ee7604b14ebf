"""Health events: what happened, how grave it is, and the facts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tripwire_shared.answers.vocabulary import EventType


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
