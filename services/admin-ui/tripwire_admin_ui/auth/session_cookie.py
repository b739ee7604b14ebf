"""The session: everything about a signed-in person, encrypted in one cookie; the server keeps nothing.

The cookie holds the person's API token, so it is encrypted, not only signed. It cannot be taken back, but what it
opens can: signing out revokes the token through the API, and who the token stands for is asked with each page
(`identity.py`). What was typed into a form that came too late waits in it too: `kept_form.py`.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from flask import Response, g, request

from tripwire_admin_ui.auth.scripted_requests import is_use
from tripwire_admin_ui.auth.signed_in import SignedIn
from tripwire_shared import timings
from tripwire_shared.keys import Sealer

NAME = "tripwire_session"
# With this prefix a browser takes it only over TLS, for this host alone and for all of it: no neighbour can set it.
NAME_OVER_TLS = f"__Host-{NAME}"
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
# Browsers drop a cookie over 4,096 bytes, its name included, and do not say so. The whole header is under 4,000.
SEALED_AT_MOST = 3_850
NO_NOTICE = ("", "")


@dataclass(frozen=True)
class KeptForm:
    """What was typed into a form that came after the end of its session: `page` shows it again, to its `owner`."""

    page: str
    owner: str
    fields: Mapping[str, str]
    kept_at: float


@dataclass(frozen=True)
class Session:
    """Times are seconds since 1970. `person` is None before signing in: the form there needs a CSRF token too.

    `notice` is what came of the last form, title and text, for the page that is shown next. `ended`: why the person
    was signed out without asking for it ("ended", "revoked"); every page says so until somebody signs in, for a browser
    may ask for one twice, or for several at once.
    """

    csrf_token: str
    started_at: float
    used_at: float
    person: SignedIn | None = None
    notice: tuple[str, str] = NO_NOTICE
    kept: KeptForm | None = None
    ended: str = ""


class SessionCookie:
    """Reads the session of a request into `g.session`, and writes it back where it changed. `g.over_tls` says which of
    the two cookies it is."""

    def __init__(self, secrets: tuple[str, ...], clock: Callable[[], float]) -> None:
        self._sealer = Sealer(secrets, "admin-ui session")
        self._clock = clock

    def open(self) -> None:
        """Sets `g.session`."""
        g.now = now = self._clock()
        found = self._read(request.cookies.get(NAME_OVER_TLS if g.over_tls else NAME, ""))
        over = found is None or _is_over(found, now)
        ended = "ended" if found is not None and found.person is not None else ""
        g.session = Session(_csrf_token(None), now, now, ended=ended) if found is None or over else found
        # A page that renews itself is no use of it: somebody may have left the room.
        if is_use() and now - g.session.used_at > timings.UI_SESSION_TOUCH:
            g.session = replace(g.session, used_at=now)
        if g.session.kept is not None and now - g.session.kept.kept_at > timings.UI_FORM_KEPT:
            g.session = replace(g.session, kept=None)
        g.session_as_sent = found

    def write(self, response: Response) -> None:
        """Sends the cookie where the session is another than the browser has; static files and probes get none."""
        unchanged = g.session == g.session_as_sent or g.get("no_cookie")
        if unchanged or request.endpoint in ("static", "alive", None):
            return
        response.set_cookie(
            NAME_OVER_TLS if g.over_tls else NAME,
            self._sealed(g.session),
            path="/",
            httponly=True,
            samesite="Lax",
            # A browser drops a Secure cookie that comes without TLS; on the own machine there is none. Elsewhere it is
            # Secure all the same: better no sign-in than a token in clear.
            secure=g.over_tls or not is_local(),
        )

    def _sealed(self, session: Session) -> str:
        """As much of it as a cookie can hold; the person always fits (`ApiClient.sign_in` sees to it)."""
        sealed = ""
        for smaller in _ever_smaller(session):
            sealed = self._sealer.seal(json.dumps(_fields(smaller), ensure_ascii=False, separators=(",", ":")))
            if len(sealed) <= SEALED_AT_MOST:
                break
        return sealed

    def _read(self, sealed: str) -> Session | None:
        try:
            fields = json.loads(self._sealer.unseal(sealed))
            person, kept = fields.pop("person"), fields.pop("kept", None)
            notice = fields.pop("notice", NO_NOTICE)
            return Session(
                **fields,
                person=SignedIn(**person) if person else None,
                notice=tuple(notice),
                kept=KeptForm(**kept) if kept else None,
            )
        except (ValueError, TypeError, KeyError):  # altered, of another key, or of an older version
            return None


def is_local() -> bool:
    """Whether the browser calls us by a name of its own machine."""
    return urlsplit(request.host_url).hostname in LOCAL_HOSTS


def begin(person: SignedIn) -> None:
    """A new session for `person`, with a new CSRF token: nothing of the one before sign-in lives on but a form of the
    same person's."""
    kept = g.session.kept
    if kept is not None and kept.owner not in ("", mark_of(person)):
        kept = None
    g.session = Session(_csrf_token(person), g.now, g.now, person, kept=kept)


def end(why: str = "") -> None:
    """Forgets the person; `why` where they did not ask for it."""
    g.session = replace(g.session, csrf_token=_csrf_token(None), person=None, ended=why)


def mark_of(person: SignedIn) -> str:
    """Tells people apart where no name is needed: in a form, so that nobody sends one that another has opened."""
    return hashlib.sha256(person.email.encode()).hexdigest()[:12]


def owner_of(csrf_token: str) -> str:
    """The mark of who opened the form with this token; empty: nobody was signed in, or it is not one of ours."""
    return csrf_token.partition(".")[2]


def leave_notice(title: str, text: str) -> None:
    """Says what came of a form, on the page that its redirect leads to; never a secret."""
    g.session = replace(g.session, notice=(title, text))


def take_notice() -> tuple[str, str]:
    """The notice, once: it is gone from the cookie that goes out with this page."""
    notice: tuple[str, str] = g.session.notice
    if notice[0]:
        g.session = replace(g.session, notice=NO_NOTICE)
    return notice


def _csrf_token(person: SignedIn | None) -> str:
    return token_urlsafe(24) + (f".{mark_of(person)}" if person else "")


def _fields(session: Session) -> dict[str, Any]:
    """Without what is empty: an older version that knows less still reads it."""
    return {name: value for name, value in asdict(session).items() if name not in ("kept", "ended") or value}


def _ever_smaller(session: Session) -> Iterator[Session]:
    yield session
    if session.person:
        session = replace(session, person=replace(session.person, full_name=""))
        yield session
    title, text = session.notice
    session = replace(session, notice=(title[:100], text[:200]))
    yield session
    session = replace(session, kept=None)
    yield session
    yield replace(session, notice=NO_NOTICE)


def _is_over(session: Session, now: float) -> bool:
    idle = session.person is not None and now - session.used_at > timings.UI_SESSION_IDLE
    return idle or now - session.started_at > timings.UI_SESSION_END
