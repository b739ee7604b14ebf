"""Who may see which pages; said on the line where pages are registered."""

from dataclasses import replace
from http import HTTPStatus

from flask import Blueprint, g, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from tripwire_admin_ui.api.failures import ApiFailure, ApiUnreachable, NotSignedIn
from tripwire_admin_ui.auth.identity import Identities
from tripwire_admin_ui.auth.kept_form import keep_form
from tripwire_admin_ui.auth.scripted_requests import is_refresh, is_scripted
from tripwire_admin_ui.auth.session_cookie import mark_of
from tripwire_admin_ui.auth.signed_in import SignedIn

Refusal = Response | tuple[str, int]


def person() -> SignedIn:
    """Who is signed in; only behind one of the guards below."""
    signed_in: SignedIn = g.session.person
    return signed_in


def is_self(staff_id: object) -> bool:
    """Whether this is the account of who is signed in; only behind a guard."""
    return bool(g.staff_id) and str(staff_id) == g.staff_id


class Guards:
    """Ask the API who the reader is, with each page: a role or an account that changed has changed here too."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities

    def signed_in_only(self, pages: Blueprint) -> Blueprint:
        """Everybody who is signed in."""
        pages.before_request(self.require_sign_in)
        return pages

    def admins_only(self, pages: Blueprint) -> Blueprint:
        """Admins; sales gets a page that says so."""
        pages.before_request(self.require_sign_in)
        pages.before_request(self.require_admin)
        return pages

    def require_sign_in(self) -> Refusal | None:
        """Raises NotSignedIn where the API no longer knows the token. Where the API cannot say, the person is whom it
        named last, and `g.identity_failure` says why: nothing is shown or done without the API, and that is what the
        page will say."""
        if g.session.person is None:
            return to_sign_in(g.session.ended or None)
        if request.headers.get("Tripwire-For", mark_of(person())) != mark_of(person()):
            return "", HTTPStatus.UNAUTHORIZED  # somebody else has signed in beside this page: it is loaded anew
        g.staff_id, g.identity_failure = "", None
        try:
            now = self._identities.of(person().token)
        except NotSignedIn:
            raise
        except ApiFailure as failure:
            g.identity_failure = failure
            if isinstance(failure, ApiUnreachable):
                g.silent_api = failure  # no call waits for it once more
            return None
        g.staff_id = str(now.id)
        as_now = replace(person(), email=now.email, full_name=now.full_name, role=now.role.value)
        g.session = replace(g.session, person=as_now)
        return None

    def require_admin(self) -> Refusal | None:
        if person().is_admin:
            return None
        return for_admins_page()


def to_sign_in(note: str | None = None) -> Refusal:
    """Where to send somebody who is not signed in. A form leads back to its page, with what was typed; a script gets
    401, and then loads the page anew."""
    # The page that is loaded then says why: from the cookie as it is, so that one stays.
    g.no_cookie = is_refresh() or is_scripted()
    if is_refresh():
        return "", HTTPStatus.UNAUTHORIZED
    if is_scripted():
        return for_script(HTTPStatus.UNAUTHORIZED, "You were signed out. Nothing was done.")
    if request.method == "GET":
        return redirect(url_for("sign_in.show", next=request.full_path.rstrip("?"), note=note))
    return redirect(url_for("sign_in.show", next=keep_form(), note=note or "out"), HTTPStatus.SEE_OTHER)


def for_script(status: HTTPStatus, detail: str) -> Response:
    """Why a script's request was refused; in the shape that rq-dashboard's know."""
    answer = jsonify(status="ERROR", detail=detail)
    answer.status_code = status
    return answer


def for_admins_page() -> Refusal:
    if is_scripted():
        return for_script(HTTPStatus.FORBIDDEN, "This is for admins.")
    text = "Your role is Sales. What you may see stands in the menu."
    return render_template("message.html", title="This page is for admins.", text=text), HTTPStatus.FORBIDDEN
