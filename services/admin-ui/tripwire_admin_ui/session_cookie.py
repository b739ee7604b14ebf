"""The session: everything about a signed-in person, encrypted in one cookie; the server keeps nothing.

The cookie holds the person's API token, so it is encrypted, not only signed. It cannot be taken back, but what it
opens can: signing out revokes the token through the API.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from secrets import token_urlsafe
from urllib.parse import urlsplit

from flask import Response, g, request

from tripwire_shared import timings
from tripwire_shared.keys import Sealer

NAME = "tripwire_session"
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in, and the token that the API knows them by."""

    token: str
    email: str
    full_name: str
    role: str

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


@dataclass(frozen=True)
class Session:
    """Times are seconds since 1970. `person` is None before signing in: the form there needs a CSRF token too.

    `notice` is what came of the last form, title and text, for the page that is shown next.
    """

    csrf_token: str
    started_at: float
    used_at: float
    person: SignedIn | None = None
    notice: tuple[str, str] = ("", "")


class SessionCookie:
    """Reads the session of a request into `g.session`, and writes it back where it changed."""

    def __init__(self, secrets: tuple[str, ...], clock: Callable[[], float]) -> None:
        self._sealer = Sealer(secrets, "admin-ui session")
        self._clock = clock

    def open(self) -> None:
        """Sets `g.session`; `g.session_ended` says that somebody was signed in and the time is over."""
        g.now = now = self._clock()
        found = self._read(request.cookies.get(NAME, ""))
        over = found is None or _is_over(found, now)
        g.session_ended = found is not None and over and found.person is not None
        g.session = Session(token_urlsafe(24), now, now) if found is None or over else found
        # A page that renews itself is no use of it: somebody may have left the room.
        in_use = request.headers.get("Tripwire-Refresh", "used") == "used"
        if in_use and now - g.session.used_at > timings.UI_SESSION_TOUCH:
            g.session = replace(g.session, used_at=now)
        g.session_as_sent = found

    def write(self, response: Response) -> None:
        """Sends the cookie where the session is another than the browser has; static files and probes get none."""
        if g.session == g.session_as_sent or request.endpoint in ("static", "alive", None):
            return
        response.set_cookie(
            NAME,
            self._sealer.seal(json.dumps(asdict(g.session))),
            path="/",
            httponly=True,
            samesite="Lax",
            # A browser drops a Secure cookie that comes without TLS; on the own machine there is none.
            secure=urlsplit(request.host_url).hostname not in LOCAL_HOSTS,
        )

    def _read(self, sealed: str) -> Session | None:
        try:
            fields = json.loads(self._sealer.unseal(sealed))
            person = fields.pop("person")
            notice = fields.pop("notice", ("", ""))
            return Session(**fields, person=SignedIn(**person) if person else None, notice=tuple(notice))
        except (ValueError, TypeError, KeyError):  # altered, of another key, or of an older version
            return None


def begin(person: SignedIn) -> None:
    """A new session for `person`, with a new CSRF token: nothing of the one before sign-in lives on."""
    g.session = Session(token_urlsafe(24), g.now, g.now, person)


def end() -> None:
    """Forgets the person."""
    g.session = replace(g.session, csrf_token=token_urlsafe(24), person=None)


def leave_notice(title: str, text: str) -> None:
    """Says what came of a form, on the page that its redirect leads to; never a secret."""
    g.session = replace(g.session, notice=(title, text))


def take_notice() -> tuple[str, str]:
    """The notice, once: it is gone from the cookie that goes out with this page."""
    notice: tuple[str, str] = g.session.notice
    if notice[0]:
        g.session = replace(g.session, notice=("", ""))
    return notice


def _is_over(session: Session, now: float) -> bool:
    idle = session.person is not None and now - session.used_at > timings.UI_SESSION_IDLE
    return idle or now - session.started_at > timings.UI_SESSION_END
