"""Signing in and out."""

from http import HTTPStatus

import structlog
from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from tripwire_admin_ui import session_cookie, wording
from tripwire_admin_ui.api_client import (
    ApiClient,
    ApiFailure,
    DatabaseAway,
    FieldsRefused,
    NotSignedIn,
    TooManyTries,
)
from tripwire_shared import timings

log = structlog.get_logger(__name__)
WRONG = "E-mail or password is not right."
NOTES = {
    "ended": f"You were signed out after {int(timings.UI_SESSION_IDLE // 60)} minutes without use, or at the end of "
    f"{int(timings.UI_SESSION_END // 3600)} hours.",
    "revoked": "You were signed out: the session was ended, or the account changed.",
    "left": "You are signed out.",
    "left-here": "You are signed out in this browser. The API could not be told, so the session itself ends later.",
}


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("sign_in", __name__)

    @blueprint.get("/login")
    def show() -> str | Response:
        wanted = safe_next(request.args.get("next", ""))
        if g.session.person is not None:
            return redirect(wanted)
        return _form(note=NOTES.get(request.args.get("note", ""), ""))

    @blueprint.post("/login")
    def enter() -> Response | tuple[str, int]:
        email = request.form.get("email", "").strip()
        before = g.session.person
        try:
            person = api.sign_in(email, request.form.get("password", ""))
        except ApiFailure as failure:
            message, status = _refusal(failure)
            return _form(email=email, error=message), status
        session_cookie.begin(person)
        if before is not None:
            _revoke(api, before.token)
        return redirect(safe_next(request.form.get("next", "")), HTTPStatus.SEE_OTHER)

    @blueprint.post("/logout")
    def leave() -> Response:
        person = g.session.person
        revoked = person is None or _revoke(api, person.token)
        session_cookie.end()
        return redirect(url_for("sign_in.show", note="left" if revoked else "left-here"), HTTPStatus.SEE_OTHER)

    return blueprint


def safe_next(wanted: str) -> str:
    """`wanted` if it is one of our own pages, else the front page: a link must not lead out of the house."""
    ours = wanted == "/admin" or wanted.startswith(("/admin/", "/admin?"))
    return wanted if ours and "\\" not in wanted and wanted.isprintable() else "/admin"


def _form(email: str = "", error: str = "", note: str = "") -> str:
    wanted = safe_next(request.values.get("next", ""))
    return render_template("sign_in.html", email=email, error=error, note=note, wanted=wanted)


def _refusal(failure: ApiFailure) -> tuple[str, int]:
    match failure:
        case NotSignedIn() | FieldsRefused():
            return WRONG, HTTPStatus.UNAUTHORIZED
        case TooManyTries():
            wait = "a minute" if failure.wait_seconds is None else wording.duration(failure.wait_seconds)
            return f"Too many tries. Wait {wait}, then try again.", HTTPStatus.TOO_MANY_REQUESTS
        case DatabaseAway():
            words = "Signing in is not possible right now: the database cannot be reached."
            return words, HTTPStatus.SERVICE_UNAVAILABLE
    return f"Signing in is not possible right now. {failure}", HTTPStatus.SERVICE_UNAVAILABLE


def _revoke(api: ApiClient, token: str) -> bool:
    """Whether the token is dead now."""
    try:
        api.sign_out(token)
    except NotSignedIn:
        return True
    except ApiFailure as failure:
        log.warning("token not revoked at sign-out", failure=str(failure))
        return False
    return True
