"""What a page shows where it cannot be shown: one table from what went wrong to words and status."""

from http import HTTPStatus
from urllib.parse import urlsplit

import structlog
from flask import Flask, g, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from tripwire_admin_ui.api.failures import (
    ApiFailure,
    ApiUnreachable,
    Conflict,
    FieldsRefused,
    NotAllowed,
    NotSignedIn,
    NotThere,
    TooSoon,
)
from tripwire_admin_ui.auth import session_cookie
from tripwire_admin_ui.auth.guards import Refusal, for_admins_page, to_sign_in
from tripwire_admin_ui.auth.sign_in import safe_next

log = structlog.get_logger(__name__)

WORDS = {
    HTTPStatus.NOT_FOUND: "There is no such page.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This cannot be done here.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Request too large",
}


def install(app: Flask) -> None:
    app.register_error_handler(NotSignedIn, _signed_out_by_api)
    app.register_error_handler(NotAllowed, lambda _: for_admins_page())
    app.register_error_handler(NotThere, _not_there)
    app.register_error_handler(Conflict, _refused_by_api)
    app.register_error_handler(FieldsRefused, _refused_by_api)
    app.register_error_handler(TooSoon, _too_soon)
    app.register_error_handler(ApiFailure, _api_failed)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _broken)


def _signed_out_by_api(_: NotSignedIn) -> Refusal:
    """The API no longer knows the token: revoked, ended, or the account was deactivated."""
    session_cookie.end("revoked")
    return to_sign_in("revoked")


def _not_there(_: NotThere) -> tuple[str, int]:
    text = "It may have been removed, or it belongs to somebody else."
    return render_template("message.html", title="Not found", text=text), HTTPStatus.NOT_FOUND


def _refused_by_api(failure: ApiFailure) -> tuple[str, int]:
    status = HTTPStatus.CONFLICT if isinstance(failure, Conflict) else HTTPStatus.UNPROCESSABLE_ENTITY
    return render_template("message.html", title="Nothing was changed.", text=str(failure), back=_where_from()), status


def _too_soon(failure: TooSoon) -> tuple[str, int]:
    page = render_template("message.html", title="Not now.", text=str(failure), back=_where_from())
    return page, HTTPStatus.TOO_MANY_REQUESTS


def _api_failed(failure: ApiFailure) -> tuple[str, int]:
    if request.method == "GET":
        page = render_template("message.html", title=str(failure), text="", again=request.full_path.rstrip("?"))
        return page, HTTPStatus.SERVICE_UNAVAILABLE
    unsure = isinstance(failure, ApiUnreachable) and failure.may_have_arrived
    text = "It may have been done all the same: look before you try again." if unsure else "Nothing was changed."
    page = render_template("message.html", title=str(failure), text=text, back=_where_from())
    return page, HTTPStatus.SERVICE_UNAVAILABLE


def _where_from() -> str:
    """The page whose form was sent, as far as it is one of ours."""
    before = urlsplit(request.referrer or "")
    return safe_next(before.path + (f"?{before.query}" if before.query else ""))


def _refused(error: HTTPException) -> Response | tuple[str, int]:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status < HTTPStatus.BAD_REQUEST:
        return error.get_response()  # a redirect of the router
    words = WORDS.get(HTTPStatus(status), HTTPStatus(status).phrase + ".")
    return render_template("message.html", title=words, text=""), status


def _broken(error: Exception) -> tuple[str, int]:
    log.error("page failed", path=request.path, exc_info=error)
    text = f"It has been logged under {g.request_id}. Whether something was changed is not known."
    page = render_template("message.html", title="Something went wrong", text=text)
    return page, HTTPStatus.INTERNAL_SERVER_ERROR
