"""rq-dashboard inside the console: behind our login, with its holes closed. The only part that speaks to Redis.

What is closed here, and nowhere else in the admin UI needed:
- it knows no sign-in: every path under the prefix, its own files too, is for admins;
- its POSTs carry no token of ours and one GET changes state: changing is POST only, with the token in a header;
- what changes something is written to the activity log first, through the API: what cannot be written is not done;
- its templates put texts from Redis into pages unescaped: see queue_templates;
- it fails on JSON jobs, waits for Redis without end, and knows no way to say that Redis is away.
"""

from http import HTTPStatus
from secrets import token_urlsafe
from typing import Any

import rq_dashboard
from flask import Flask, Response, g, jsonify, render_template, request
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq_dashboard import web

from tripwire_admin_ui.access import person, require_admin, require_sign_in
from tripwire_admin_ui.api_activity import ActivityApi
from tripwire_admin_ui.api_client import ApiClient, ApiFailure, NotAllowed, NotSignedIn
from tripwire_admin_ui.pages.queue import queue_is_away
from tripwire_admin_ui.queue_templates import EscapingLoader
from tripwire_admin_ui.system_state import read_system_state
from tripwire_admin_ui.verdict import verdict
from tripwire_shared import timings

PREFIX = "/admin/queue"
NAME = "rq_dashboard"
# Its views that change something, and the word for each in the activity log.
CHANGES = {
    "rq_dashboard.requeue_job_view": "requeue",
    "rq_dashboard.requeue_all": "requeue all",
    "rq_dashboard.delete_job_view": "delete",
    "rq_dashboard.empty_queue": "empty",
    "rq_dashboard.compact_queue": "compact",
}
PAGES = frozenset(f"{NAME}.{view}" for view in ("queues_overview", "workers_overview", "jobs_overview", "job_view"))
# underscore.js makes functions of its templates, so eval it must be; inline script runs with this page's nonce only.
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def build_redis(url: str) -> Redis:
    """Refused or frozen, it gives up within one time-out; a stale pooled connection is replaced once."""
    return Redis.from_url(
        url,
        socket_timeout=timings.UI_REDIS_TIMEOUT,
        socket_connect_timeout=timings.UI_REDIS_TIMEOUT,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    )


def mount(app: Flask, api: ApiClient, redis_url: str) -> None:
    """Puts rq-dashboard under PREFIX. Without `redis_url` there is the page that says so, and nothing else."""
    redis = build_redis(redis_url) if redis_url else None
    _mend(redis)
    app.config["RQ_DASHBOARD_REDIS_URL"] = (_without_password(redis_url),)
    app.config["RQ_DASHBOARD_POLL_INTERVAL"] = int(timings.UI_REFRESH * 1000)
    app.redis_conn = redis  # type: ignore[attr-defined]  # where rq-dashboard looks for it
    app.jinja_env.loader = EscapingLoader(app.jinja_env.loader)
    app.before_request(_guard(api, redis))
    app.register_blueprint(rq_dashboard.blueprint, url_prefix=PREFIX)
    app.register_error_handler(NoSuchJobError, _no_such_job)
    app.register_error_handler(RedisError, lambda _: _away(api))
    app.context_processor(lambda: _page_context(api))


def is_ours() -> bool:
    """Whether this request is for rq-dashboard: a page of it, its data, or one of its files."""
    return request.blueprint == NAME


def policy() -> str:
    """Looser than elsewhere, and for this prefix only."""
    return POLICY.format(nonce=_nonce())


def _page_context(api: ApiClient) -> dict[str, object]:
    """For its pages: the nonce of their scripts, and the state of the system for the menu."""
    if request.endpoint not in PAGES or g.session.person is None or not person().is_admin:
        return {}
    state = read_system_state(api, person().token)
    return {"nonce": _nonce(), "state": state, "verdict": verdict(state, person().email)}


def _nonce() -> str:
    if "queue_nonce" not in g:
        g.queue_nonce = token_urlsafe(16)
    nonce: str = g.queue_nonce
    return nonce


def _mend(redis: Redis | None) -> None:
    """Replaces what in rq-dashboard itself is wrong for us; the same for every app of the process."""
    web.config.serializer = JSONSerializer
    web.serialize_current_job = _current_job
    # It builds a client of its own for each request, without time-outs: it gets ours.
    web.from_url = lambda *_, **__: (None, redis)


def _current_job(job: Job | None) -> Any:
    """Its own reads the arguments with the wrong serializer, and shows them."""
    if job is None:
        return "idle"
    return {
        "job_id": job.id,
        "description": job.description,
        "created_at": web.serialize_date(job.created_at),
        "call_string": job.description,
    }


def _guard(api: ApiClient, redis: Redis | None) -> Any:
    activity = ActivityApi(api)

    def guard() -> Any:
        """By path, not by blueprint: an unknown path below the prefix tells a stranger nothing either."""
        if request.path != PREFIX and not request.path.startswith(PREFIX + "/"):
            return None
        refused = require_sign_in() or require_admin()
        if refused is not None or not is_ours() or request.endpoint == f"{NAME}.static":
            return refused
        if (request.view_args or {}).get("instance_number", 0) != 0:
            return render_template("message.html", title="There is no such page.", text=""), HTTPStatus.NOT_FOUND
        if redis is None:
            return _away(api, configured=False)
        if request.endpoint in CHANGES:
            return _may_change(activity, redis)
        redis.ping()  # away: the error handler shows the page that says so
        if request.endpoint in PAGES and request.accept_mimetypes.best == "application/json":
            return jsonify(rq_instances=[])  # its scripts ask the page itself for a list of Redis servers
        return None

    return guard


def _may_change(activity: ActivityApi, redis: Redis) -> Any:
    if request.method != "POST":
        return jsonify(
            status="ERROR", detail="This can only be changed with its button."
        ), HTTPStatus.METHOD_NOT_ALLOWED
    redis.ping()
    named = request.view_args or {}
    detail = {word: str(named[name]) for name, word in NAMES.items() if named.get(name)}
    try:
        activity.note_queue_change(person().token, CHANGES[request.endpoint or ""], detail)
    except (NotSignedIn, NotAllowed):
        raise
    except ApiFailure as failure:
        words = f"Not done: it could not be written to Activity. {failure}"
        return jsonify(status="ERROR", detail=words), HTTPStatus.SERVICE_UNAVAILABLE
    return None


NAMES = {"queue_name": "queue", "registry_name": "registry", "job_id": "job"}


def _away(api: ApiClient, *, configured: bool = True) -> Any:
    """For its scripts a status that they notice; for people the page that says what is and what is not."""
    if "/data/" in request.path or request.method == "POST":
        return jsonify(status="ERROR", detail="Redis is down. Nothing was done."), HTTPStatus.SERVICE_UNAVAILABLE
    return queue_is_away(api, configured=configured)


def _no_such_job(_: NoSuchJobError) -> Any:
    text = "Jobs leave Redis when they are finished. What became of the customer stands under Requests."
    if "/data/" in request.path or request.method == "POST":
        return jsonify(status="ERROR", detail="There is no such job any more."), HTTPStatus.NOT_FOUND
    return render_template("message.html", title="There is no such job any more.", text=text), HTTPStatus.NOT_FOUND


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if rest else ""


def with_policy(response: Response) -> Response:
    """The own policy of this prefix, on its pages; its data and files run nothing and keep the strict one."""
    if is_ours() and response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = policy()
    return response
