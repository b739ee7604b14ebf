"""The mode: which way new requests go. Pure."""

from dataclasses import dataclass
from datetime import datetime

from tripwire_shared.answers.vocabulary import Mode
from tripwire_shared.errors import Conflict

# The row of system_config.
MODE_KEY = "traffic_mode"


@dataclass(frozen=True)
class ModeRecord:
    mode: Mode
    version: int
    changed_at: datetime
    changed_by: str | None
    reason: str | None


class ModeVersionConflict(Conflict):
    """Somebody else switched the mode meanwhile."""

    def __init__(self, current: ModeRecord) -> None:
        super().__init__(
            f"The mode is {current.mode} at version {current.version}, changed by {current.changed_by or 'nobody'}."
            " Look again, then decide."
        )
        self.current = current
