"""What the address of System Health asks for: the window of the charts, and which lines of the log."""

from collections.abc import Mapping
from dataclasses import dataclass

from tripwire_shared.answers.vocabulary import EventType

WINDOWS = {"1h": "1 hour", "24h": "24 hours", "7d": "7 days"}
EVENT_TYPES = tuple(EventType)
LONGEST_SEARCH = 200


@dataclass(frozen=True)
class HealthView:
    """What is not asked for, or not understood, is the usual."""

    window: str = "1h"
    event_type: str = ""
    text: str = ""
    before: str = ""

    @property
    def address(self) -> dict[str, str]:
        """The parameters of this view's address, without the place in the log."""
        window = "" if self.window == "1h" else self.window
        fields = {"window": window, "type": self.event_type, "q": self.text}
        return {name: value for name, value in fields.items() if value}

    def events_query(self, limit: int) -> dict[str, str]:
        """What to ask the API's health log for."""
        fields = {"limit": str(limit), "type": self.event_type, "q": self.text, "before": self.before}
        return {name: value for name, value in fields.items() if value}

    @property
    def filtered(self) -> bool:
        return bool(self.event_type or self.text)


def health_view(args: Mapping[str, str]) -> HealthView:
    window, event_type, before = args.get("window", ""), args.get("type", ""), args.get("before", "")
    return HealthView(
        window=window if window in WINDOWS else "1h",
        event_type=event_type if event_type in EVENT_TYPES else "",
        text=args.get("q", "").strip()[:LONGEST_SEARCH],
        before=before if before.isdecimal() and len(before) < 19 else "",
    )
