"""The page behind a welcome mail's link: GET shows a form, POST sets the password (so mail scanners do not eat it)."""

from flask import Blueprint, Response, make_response, render_template, request

from tripwire_shared.errors import NotFound
from tripwire_shared.few_at_once import FewAtOnce, TooManyAtOnce
from tripwire_shared.intake.request_rules import password_problem
from tripwire_shared.provisioning.invitation import InvitationOver, Invitations, InvitationState

CSP = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
OVER = {
    InvitationState.USED: "This link was used already. If it was not you, ask your manager for a new one.",
    InvitationState.EXPIRED: "This link has expired. Ask your manager to send a new one.",
    InvitationState.REVOKED: "A newer link was sent to you. Please use that one.",
}


def blueprint(invitations: Invitations, hashing: FewAtOnce) -> Blueprint:
    """Public: the link itself is the key. It is never logged, and no address is told where the reader came from."""
    routes = Blueprint("invitations", __name__, url_prefix="/invitations", template_folder="templates",
                       static_folder="static", static_url_path="/static")  # fmt: skip

    def why_not(token: str) -> Response | None:
        """The page for a link that cannot be used; None for a good one."""
        try:
            invitation = invitations.open(token)
        except NotFound as error:
            return _page(404, message=str(error))
        return None if invitation.state is InvitationState.OPEN else _page(410, message=OVER[invitation.state])

    @routes.get("/<token>")
    def show(token: str) -> Response:
        return why_not(token) or _page(200, form=True)

    @routes.post("/<token>")
    def choose(token: str) -> Response:
        if (refused := why_not(token)) is not None:
            return refused
        password = request.form.get("password", "")
        again = request.form.get("password_again", password)
        reason = password_problem(password) or (None if password == again else "The two passwords differ.")
        if reason is not None:
            return _page(422, form=True, problem=reason)
        return _set_password(invitations, hashing, token, password)

    return routes


def _set_password(invitations: Invitations, hashing: FewAtOnce, token: str, password: str) -> Response:
    try:
        with hashing.one():
            invitations.consume(token, password)
    except TooManyAtOnce as error:
        return _page(429, form=True, problem=str(error))
    except InvitationOver as error:  # somebody was faster
        return _page(410, message=str(error))
    return _page(200, message="Your password is set. You can sign in now.", done=True)


def _page(status: int, **values: object) -> Response:
    shown = {"form": False, "done": False, "problem": None, "message": None, **values}
    response = make_response(render_template("invitation.html", **shown), status)
    response.headers["Content-Security-Policy"] = CSP
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
