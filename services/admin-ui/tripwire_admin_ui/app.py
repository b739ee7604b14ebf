"""The admin UI put together: which pages there are, and who may see them."""

import time
from collections.abc import Callable
from http import HTTPStatus
from uuid import uuid4

import structlog
from flask import Flask, Response, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.auth import csrf, kept_form, sign_in
from tripwire_admin_ui.auth.guards import Guards
from tripwire_admin_ui.auth.identity import Identities
from tripwire_admin_ui.auth.scripted_requests import is_refresh
from tripwire_admin_ui.auth.session_cookie import SessionCookie, mark_of, take_notice
from tripwire_admin_ui.frame import error_pages, navigation
from tripwire_admin_ui.frame.assets import Assets
from tripwire_admin_ui.frame.page_meter import PageMeter
from tripwire_admin_ui.presenters import formatting, list_formatting
from tripwire_admin_ui.rq_dashboard_host import queue_console
from tripwire_admin_ui.views import (
    activity,
    customers,
    dashboard,
    new_customer,
    one_customer,
    one_request,
    requests,
    staff,
    system_health,
    system_line,
    tokens,
)
from tripwire_shared import timings
from tripwire_shared.few_at_once import FewAtOnce
from tripwire_shared.network.client_address import address_behind, over_tls
from tripwire_shared.settings import Settings

LARGEST_FORM = 64 * 1024
# Of the requests inside at once so many may be signing in, each of which waits for the API: half of them.
SIGN_IN_SHARE = 2
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_app(settings: Settings, api: ApiClient, clock: Callable[[], float] = time.time) -> Flask:
    """`clock` gives the seconds since 1970; sessions age by it."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_FORM
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    cookie = SessionCookie(settings.secret_keys, clock)
    meter = PageMeter(settings.version)
    api.on_answer = meter.count_call
    meter.install(app)

    @app.before_request
    def open_session() -> None:
        # Our own number, never the browser's: it goes into logs here and, as X-Request-ID, to the API.
        g.request_id = uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(service="admin-ui", request_id=g.request_id)
        g.client_address = address_behind(
            request.remote_addr or "", ",".join(request.headers.getlist("X-Forwarded-For")), settings.trusted_proxies
        )
        g.over_tls = over_tls(
            request.remote_addr or "", request.scheme, request.headers.get("X-Forwarded-Proto", ""),
            settings.trusted_proxies,
        )  # fmt: skip
        cookie.open()

    app.before_request(csrf.refuse_forged_forms)

    @app.after_request
    def finish(response: Response) -> Response:
        kept_form.forget_shown_form()
        cookie.write(response)
        return queue_console.with_policy(_with_headers(response))

    Assets().install(app)
    formatting.install(app)
    list_formatting.install(app)
    app.context_processor(lambda: {"version": settings.version, **_page_context()})
    error_pages.install(app)

    guards = Guards(Identities(api))
    sign_ins = FewAtOnce(settings.web_threads // SIGN_IN_SHARE)
    app.register_blueprint(sign_in.pages(api, sign_ins))  # open to everybody
    app.register_blueprint(guards.admins_only(system_health.pages(api)))
    # Sales sees its own: the API gives it no others.
    for pages in (dashboard, system_line, requests, one_request, customers, one_customer, new_customer):
        app.register_blueprint(guards.signed_in_only(pages.pages(api)))
    for pages_for_admins in (staff, tokens, activity):
        app.register_blueprint(guards.admins_only(pages_for_admins.pages(api)))
    queue_console.mount(app, api, guards, settings.queue_url)  # admins only, by path

    @app.get("/")
    def front_door() -> AnyResponse:
        return redirect(url_for("dashboard.show"))

    @app.get("/healthz")
    def alive() -> tuple[dict[str, str], int]:
        return {"status": "ok"}, HTTPStatus.OK

    return app


def _page_context() -> dict[str, object]:
    """What every template may use. A refresh asks for the same page without the frame around it."""
    signed_in = g.session.person
    return {
        "layout": "fragment.html" if is_refresh() else "layout.html",
        "session": g.session,
        "reader_mark": mark_of(signed_in) if signed_in else "",
        "menu": navigation.entries(is_admin=signed_in.is_admin) if signed_in else (),
        "take_notice": take_notice,
        "request_id": g.request_id,
        "refresh_seconds": timings.UI_REFRESH,
        "alert_patience": timings.UI_ALERT_BUDGET + 1,
        "ageing_after": timings.UI_FIGURE_AGEING_AFTER,
        "idle_minutes": int(timings.UI_SESSION_IDLE // 60),
    }


def _with_headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Request-ID"] = g.request_id
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response
