"""Who a session's token stands for, as the API says now: the cookie may be twelve hours old, and an account changes."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable

from tripwire_admin_ui.api.calls import SessionsApi
from tripwire_admin_ui.api.client import ApiClient, page_budget
from tripwire_shared import timings
from tripwire_shared.answers.staff import StaffMember

KEPT_AT_MOST = 1_000


class Identities:
    """What one process was told, for a moment: a page with its files and data asks once. Two threads at once may both
    ask; either answer is right."""

    def __init__(self, api: ApiClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions, self._clock = SessionsApi(api), clock
        self._kept: OrderedDict[bytes, tuple[float, StaffMember]] = OrderedDict()

    def of(self, token: str) -> StaffMember:
        """Raises NotSignedIn where it stands for nobody any more, and the common failures."""
        digest = hashlib.sha256(token.encode()).digest()
        good_until, identity = self._kept.get(digest, (0.0, None))
        if identity is not None and self._clock() < good_until:
            return identity
        # Counted from before the question, so that the answer is never older than it may be.
        good_until = self._clock() + timings.UI_IDENTITY_KEPT
        identity = self._sessions.who(token, page_budget())
        self._kept[digest] = (good_until, identity)
        if len(self._kept) > KEPT_AT_MOST:
            self._kept.popitem(last=False)
        return identity
