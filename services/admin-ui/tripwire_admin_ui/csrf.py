"""Every form carries a token that only our own pages know; a POST without it is refused."""

import hmac
from http import HTTPStatus

from flask import g, render_template, request


def refuse_forged_forms() -> tuple[str, int] | None:
    """Refuses what would change something and does not come from a form of this session."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return None
    # A script sends it in a header, which no page of another origin can set.
    given = request.form.get("csrf_token") or request.headers.get("X-CSRFToken", "")
    if hmac.compare_digest(given.encode(), g.session.csrf_token.encode()):
        return None
    explanation = "This form is too old, or the browser did not send the cookie that belongs to it. Nothing was done."
    if not request.is_secure and g.session_as_sent is None:
        explanation += " Outside the own machine the cookie needs HTTPS."
    page = render_template("message.html", title="Please try again", text=explanation, again=request.path)
    return page, HTTPStatus.BAD_REQUEST
