"""Who may see which pages; said on the line where pages are registered."""

from http import HTTPStatus

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from tripwire_admin_ui.refresh import is_refresh
from tripwire_admin_ui.session_cookie import SignedIn


def person() -> SignedIn:
    """Who is signed in; only behind one of the guards below."""
    signed_in: SignedIn = g.session.person
    return signed_in


def signed_in_only(pages: Blueprint) -> Blueprint:
    """Everybody who is signed in."""
    pages.before_request(require_sign_in)
    return pages


def admins_only(pages: Blueprint) -> Blueprint:
    """Admins; sales gets a page that says so."""
    pages.before_request(require_sign_in)
    pages.before_request(require_admin)
    return pages


def to_sign_in(note: str | None = None) -> Response | tuple[str, int]:
    """Where to send somebody who is not signed in. A refresh gets 401: its script then loads the page anew."""
    if is_refresh():
        return "", HTTPStatus.UNAUTHORIZED
    wanted = request.full_path.rstrip("?") if request.method == "GET" else request.path
    return redirect(url_for("sign_in.show", next=wanted, note=note))


def require_sign_in() -> Response | tuple[str, int] | None:
    if g.session.person is not None:
        return None
    return to_sign_in("ended" if g.session_ended else None)


def require_admin() -> tuple[str, int] | None:
    if person().is_admin:
        return None
    return for_admins_page()


def for_admins_page() -> tuple[str, int]:
    return render_template("message.html", title="This page is for admins.", text=""), HTTPStatus.FORBIDDEN
