"""Every form carries a token that only our own pages know; a POST without it is refused, and says what to do."""

import hmac
from http import HTTPStatus

from flask import g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from tripwire_admin_ui.auth.guards import Refusal, for_script, to_sign_in
from tripwire_admin_ui.auth.kept_form import given_csrf_token, keep_form, page_of_form
from tripwire_admin_ui.auth.scripted_requests import is_scripted
from tripwire_admin_ui.auth.session_cookie import is_local, leave_notice, mark_of, owner_of
from tripwire_admin_ui.auth.sign_in import sign_in_page

TOO_OLD = "This page was too old. Nothing was done. Please sign in."


def refuse_forged_forms() -> Refusal | None:
    """Refuses what would change something and does not come from a form of this session."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return None
    given = given_csrf_token()
    if hmac.compare_digest(given.encode(), g.session.csrf_token.encode()):
        return None
    return _refusal(given)


def _refusal(given: str) -> Refusal:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return _foreign()
    if request.endpoint == "sign_in.enter":
        return _sign_in_again()
    if g.session.person is None:
        return _signed_out()
    if is_scripted():
        return for_script(HTTPStatus.BAD_REQUEST, "This page is too old. Nothing was done: load it again.")
    if owner_of(given) == mark_of(g.session.person):
        return _of_an_earlier_session()
    return _of_somebody_else()


def _foreign() -> Refusal:
    """A page of another site sent it. The browser left our cookie away, and must not get another in its place."""
    g.no_cookie = True
    page = render_template("message.html", title="This form is not one of ours.", text="Nothing was done.")
    return page, HTTPStatus.BAD_REQUEST


def _sign_in_again() -> Refusal:
    words = TOO_OLD
    if not (g.over_tls or is_local()) and g.session_as_sent is None:
        words += " The browser did not send the cookie that belongs to it: outside the own machine that needs HTTPS."
    return sign_in_page(email=request.form.get("email", ""), error=words), HTTPStatus.BAD_REQUEST


def _signed_out() -> Refusal:
    if request.endpoint in ("sign_in.leave", None):  # no form to come back to
        return redirect(url_for("sign_in.show", note="out"), HTTPStatus.SEE_OTHER)
    return to_sign_in(g.session.ended or "out")


def _of_an_earlier_session() -> Response:
    """The same person signed in anew meanwhile, in another tab: the form is there again, with a token that holds."""
    page = keep_form()
    leave_notice("Nothing was done", "You have signed in anew since you opened that form. Please send it again.")
    return redirect(page, HTTPStatus.SEE_OTHER)


def _of_somebody_else() -> Refusal:
    text = "It is too old, or somebody else opened it in this browser. Nothing was done."
    again = None if request.endpoint in ("sign_in.leave", None) else page_of_form()
    page = render_template("message.html", title="This form cannot be taken.", text=text, again=again)
    return page, HTTPStatus.BAD_REQUEST
