"""Who a session's token stands for, as the API says now: the cookie may be twelve hours old, and an account changes."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tripwire_admin_ui.api import answer_fields
from tripwire_admin_ui.api.client import ApiClient, page_budget
from tripwire_shared import timings

KEPT_AT_MOST = 1_000


@dataclass(frozen=True)
class Identity:
    id: str
    email: str
    full_name: str
    role: str


class Identities:
    """What one process was told, for a moment: a page with its files and data asks once. Two threads at once may both
    ask; either answer is right."""

    def __init__(self, api: ApiClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._api, self._clock = api, clock
        self._kept: OrderedDict[bytes, tuple[float, Identity]] = OrderedDict()

    def of(self, token: str) -> Identity:
        """Raises NotSignedIn where it stands for nobody any more, and the common failures."""
        digest = hashlib.sha256(token.encode()).digest()
        good_until, identity = self._kept.get(digest, (0.0, None))
        if identity is not None and self._clock() < good_until:
            return identity
        # Counted from before the question, so that the answer is never older than it may be.
        good_until = self._clock() + timings.UI_IDENTITY_KEPT
        identity = self._api.call("GET", "/api/auth/me", _read, page_budget(), token)
        self._kept[digest] = (good_until, identity)
        if len(self._kept) > KEPT_AT_MOST:
            self._kept.popitem(last=False)
        return identity


def _read(answer: Mapping[str, Any]) -> Identity:
    needed, text = answer_fields.needed, answer_fields.text
    return Identity(
        id=needed(text, answer, "id"),
        email=needed(text, answer, "email"),
        full_name=text(answer, "full_name") or "",
        role=needed(text, answer, "role"),
    )
