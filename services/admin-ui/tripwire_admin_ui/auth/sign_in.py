"""Signing in and out."""

from http import HTTPStatus

import structlog
from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response

from tripwire_admin_ui.api.calls import SessionsApi
from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.api.failures import ApiFailure, DatabaseAway, FieldsRefused, NotSignedIn, TooManyTries
from tripwire_admin_ui.auth import session_cookie
from tripwire_admin_ui.auth.signed_in import signed_in
from tripwire_admin_ui.presenters import formatting
from tripwire_shared import timings
from tripwire_shared.few_at_once import FewAtOnce, TooManyAtOnce

log = structlog.get_logger(__name__)
WRONG = "Email or password is not right."
NOTES = {
    "ended": f"You were signed out after {int(timings.UI_SESSION_IDLE // 60)} minutes without use, or at the end of "
    f"{int(timings.UI_SESSION_END // 3600)} hours.",
    "revoked": "You were signed out: the session was ended, or the account changed.",
    "out": "You were signed out.",
    "left": "You are signed out.",
    "left-here": "You are signed out in this browser. The API could not be told, so the session itself ends later.",
}


KEPT = "What you sent was not done, but it is kept: sign in, look at it, and send it again."
BUSY = "Too many people are signing in at this moment. Try again in a second."
# An address that comes with a form or a query and goes back in a header, whose line servers take up to 4,094 bytes of.
NEXT_AT_MOST = 1_000
EMAIL_AT_MOST = 254


def pages(api: ApiClient, at_once: FewAtOnce) -> Blueprint:
    """`at_once`: how many may be signing in here; each waits for the API, where it takes its time."""
    blueprint = Blueprint("sign_in", __name__)

    @blueprint.get("/login")
    def show() -> str | Response:
        wanted = safe_next(request.args.get("next", ""))
        if g.session.person is not None:
            return redirect(wanted)
        return sign_in_page(note=_note(wanted))

    @blueprint.post("/login")
    def enter() -> Response:
        email = request.form.get("email", "").strip()
        before = g.session.person
        try:
            with at_once.one():
                person = signed_in(SessionsApi(api).sign_in(email, request.form.get("password", "")))
        except (ApiFailure, TooManyAtOnce) as failure:
            return _refused(email, failure)
        session_cookie.begin(person)
        if before is not None:
            _revoke(api, before.token)
        wanted = safe_next(request.form.get("next", ""))
        if g.session.kept is not None and g.session.kept.page == wanted:
            session_cookie.leave_notice("You are signed in again", "What you sent before was not done: send it again.")
        return redirect(wanted, HTTPStatus.SEE_OTHER)

    @blueprint.post("/logout")
    def leave() -> Response:
        person = g.session.person
        revoked = person is None or _revoke(api, person.token)
        session_cookie.end()
        return redirect(url_for("sign_in.show", note="left" if revoked else "left-here"), HTTPStatus.SEE_OTHER)

    return blueprint


def safe_next(wanted: str) -> str:
    """`wanted` if it is one of our own pages, else the front page: a link must not lead out of the house. What is too
    long for an address goes without its query."""
    ours = wanted == "/admin" or wanted.startswith(("/admin/", "/admin?"))
    if not ours or "\\" in wanted or not wanted.isprintable():
        return "/admin"
    return next(
        (page for page in (wanted, wanted.partition("?")[0]) if len(iri_to_uri(page)) <= NEXT_AT_MOST), "/admin"
    )


def sign_in_page(email: str = "", error: str = "", note: str = "") -> str:
    wanted = safe_next(request.values.get("next", ""))
    return render_template("sign_in.html", email=email[:EMAIL_AT_MOST], error=error, note=note, wanted=wanted)


def _note(wanted: str) -> str:
    note = NOTES.get(request.args.get("note", ""), "")
    kept = g.session.kept
    return f"{note} {KEPT}".strip() if kept is not None and kept.page == wanted else note


def _refused(email: str, failure: Exception) -> Response:
    message, status = _refusal(failure)
    page = make_response(sign_in_page(email=email, error=message), status)
    if isinstance(failure, TooManyAtOnce):
        page.headers["Retry-After"] = "1"
    if isinstance(failure, TooManyTries) and failure.wait_seconds is not None:
        page.headers["Retry-After"] = str(failure.wait_seconds)
    return page


def _refusal(failure: Exception) -> tuple[str, int]:
    match failure:
        case TooManyAtOnce():
            return BUSY, HTTPStatus.TOO_MANY_REQUESTS
        case NotSignedIn() | FieldsRefused():
            return WRONG, HTTPStatus.UNAUTHORIZED
        case TooManyTries():
            wait = "a minute" if failure.wait_seconds is None else formatting.duration(failure.wait_seconds)
            return f"Too many tries. Wait {wait}, then try again.", HTTPStatus.TOO_MANY_REQUESTS
        case DatabaseAway():
            words = "Signing in is not possible right now: the database cannot be reached."
            return words, HTTPStatus.SERVICE_UNAVAILABLE
    return f"Signing in is not possible right now. {failure}", HTTPStatus.SERVICE_UNAVAILABLE


def _revoke(api: ApiClient, token: str) -> bool:
    """Whether the token is dead now."""
    try:
        SessionsApi(api).sign_out(token)
    except NotSignedIn:
        return True
    except ApiFailure as failure:
        log.warning("token not revoked at sign-out", failure=str(failure))
        return False
    return True
