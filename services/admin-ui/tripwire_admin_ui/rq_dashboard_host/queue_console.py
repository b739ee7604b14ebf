"""rq-dashboard inside the console: behind our login, with its holes closed. The only part that speaks to Redis.

What is closed here, and nowhere else in the admin UI needed:
- it knows no sign-in: every path under the prefix, its own files and data too, is for whoever the API says is an admin
  now; a page of it that is left open ends like any other (`refresh.is_use`);
- its POSTs carry no token of ours and one GET changes state: changing is POST only, with the token in a header; of its
  GETs only those that are known to read are let through;
- it fails on numbers and names in its addresses that are none;
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
from redis.exceptions import RedisError
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq_dashboard import web

from tripwire_admin_ui.api.calls import ActivityApi
from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.api.failures import ApiFailure, NotAllowed, NotSignedIn
from tripwire_admin_ui.auth.guards import Guards, for_script, person
from tripwire_admin_ui.auth.scripted_requests import QUEUE, QUEUE_DATA, is_scripted, wants_json
from tripwire_admin_ui.frame.page_reader import PageReader
from tripwire_admin_ui.presenters.status_summary import verdict
from tripwire_admin_ui.presenters.system_state import SystemState
from tripwire_admin_ui.rq_dashboard_host.escaping import EscapingLoader
from tripwire_admin_ui.rq_dashboard_host.queue_away import queue_is_away
from tripwire_shared import timings
from tripwire_shared.queue.redis_link import build_fail_fast_redis
from tripwire_shared.redis_address import read_redis_address

PREFIX = "/admin/queue"
# Its views that change something, and the word for each in the activity log.
CHANGES = {
    "rq_dashboard.requeue_job_view": "requeue",
    "rq_dashboard.requeue_all": "requeue all",
    "rq_dashboard.delete_job_view": "delete",
    "rq_dashboard.empty_queue": "empty",
    "rq_dashboard.compact_queue": "compact",
}
PAGES = frozenset(f"{QUEUE}.{view}" for view in ("queues_overview", "workers_overview", "jobs_overview", "job_view"))
# What its addresses may hold; it believes them.
REGISTRIES = frozenset(("queued", "failed", "deferred", "started", "finished", "scheduled", "canceled"))
ORDERS = frozenset(("asc", "dsc"))
# For all who look at its pages at once; who finds none is told that Redis is away.
CONNECTIONS = 32
ROWS_AT_MOST, PAGES_AT_MOST = 100, 1_000_000
# underscore.js makes functions of its templates, so eval it must be; inline script runs with this page's nonce only.
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def mount(app: Flask, api: ApiClient, guards: Guards, redis_url: str) -> None:
    """Puts rq-dashboard under PREFIX. Without `redis_url` there is the page that says so, and nothing else."""
    redis = build_fail_fast_redis(redis_url, CONNECTIONS, timings.UI_REDIS_TIMEOUT) if redis_url else None
    _mend(redis)
    app.config["RQ_DASHBOARD_REDIS_URL"] = (read_redis_address(redis_url).shown if redis_url else "",)
    app.config["RQ_DASHBOARD_POLL_INTERVAL"] = int(timings.UI_REFRESH * 1000)
    app.redis_conn = redis  # type: ignore[attr-defined]  # where rq-dashboard looks for it
    app.jinja_env.loader = EscapingLoader(app.jinja_env.loader)
    app.before_request(_guard(api, guards, redis))
    app.register_blueprint(rq_dashboard.blueprint, url_prefix=PREFIX)
    app.register_error_handler(NoSuchJobError, _no_such_job)
    app.register_error_handler(InvalidJobOperation, _not_failed)
    app.register_error_handler(RedisError, lambda _: _away())
    app.context_processor(_page_context)


def is_ours() -> bool:
    """Whether this request is for rq-dashboard: a page of it, its data, or one of its files."""
    return request.blueprint == QUEUE


def policy() -> str:
    """Looser than elsewhere, and for this prefix only."""
    return POLICY.format(nonce=_nonce())


def _page_context() -> dict[str, object]:
    """For its pages: the nonce of their scripts, and the state of the system for the menu. Asks nothing: a page that
    says what failed is rendered with it too."""
    if "queue_state" not in g:
        return {}
    state: SystemState = g.queue_state
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


def _guard(api: ApiClient, guards: Guards, redis: Redis | None) -> Any:
    def guard() -> Any:
        """By path, not by blueprint: an unknown path below the prefix tells a stranger nothing either."""
        if request.path != PREFIX and not request.path.startswith(PREFIX + "/"):
            return None
        refused = guards.require_sign_in() or guards.require_admin()
        if refused is not None or request.endpoint is None or request.endpoint == f"{QUEUE}.static":
            return refused
        return _before_view(api, redis) if _is_known() else _nothing_there()

    return guard


def _before_view(api: ApiClient, redis: Redis | None) -> Any:
    is_page = request.endpoint in PAGES and not wants_json()
    if is_page:
        g.queue_state = PageReader(api).state
    if redis is None:
        return _away(configured=False)
    redis.ping()  # away: the error handler shows the page that says so
    if g.identity_failure is not None:
        return _nobody_known(g.identity_failure)
    if request.endpoint in CHANGES:
        return _may_change(ActivityApi(api))
    if request.endpoint in PAGES and not is_page:
        return jsonify(rq_instances=[])  # its scripts ask the page itself for a list of Redis servers
    return None


def _is_known() -> bool:
    """Whether rq-dashboard can answer this without failing, and without changing anything where it should only read."""
    if request.endpoint not in PAGES | QUEUE_DATA | CHANGES.keys():
        return False
    named = request.view_args or {}
    per_page, page = (str(named.get(name, 1)) for name in ("per_page", "page"))
    return (
        named.get("instance_number", 0) == 0
        and named.get("registry_name", "queued") in REGISTRIES
        and named.get("order", "asc") in ORDERS
        and _is_whole(per_page, ROWS_AT_MOST)
        and _is_whole(page, PAGES_AT_MOST)
    )


def _is_whole(text: str, at_most: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 8 and 1 <= int(text) <= at_most


def _nothing_there() -> Any:
    if _for_script():
        return for_script(HTTPStatus.NOT_FOUND, "There is no such list.")
    return render_template("message.html", title="There is no such page.", text=""), HTTPStatus.NOT_FOUND


def _nobody_known(failure: ApiFailure) -> Any:
    """Redis would answer, but whether this person may still look only the API can say."""
    words = "Whether you may see the queue could not be asked."
    if _for_script():
        return for_script(HTTPStatus.SERVICE_UNAVAILABLE, f"{failure} {words}")
    page = render_template("message.html", title=str(failure), text=words, again=request.full_path.rstrip("?"))
    return page, HTTPStatus.SERVICE_UNAVAILABLE


def _for_script() -> bool:
    return is_scripted() or request.method == "POST"


def _may_change(activity: ActivityApi) -> Any:
    if request.method != "POST":
        return for_script(HTTPStatus.METHOD_NOT_ALLOWED, "This can only be changed with its button.")
    named = request.view_args or {}
    detail = {word: str(named[name]) for name, word in NAMES.items() if named.get(name)}
    try:
        activity.note_queue_change(person().token, CHANGES[request.endpoint or ""], detail)
    except (NotSignedIn, NotAllowed):
        raise
    except ApiFailure as failure:
        words = f"Not done: it could not be written to Activity. {failure}"
        return for_script(HTTPStatus.SERVICE_UNAVAILABLE, words)
    return None


NAMES = {"queue_name": "queue", "registry_name": "registry", "job_id": "job"}


def _away(*, configured: bool = True) -> Any:
    """For its scripts a status that they notice; for people the page that says what is and what is not."""
    if _for_script() or "queue_state" not in g:
        return for_script(HTTPStatus.SERVICE_UNAVAILABLE, "Redis is down. Nothing was done.")
    return queue_is_away(g.queue_state, configured=configured)


def _no_such_job(_: NoSuchJobError) -> Any:
    text = "Jobs leave Redis when they are finished. What became of the customer stands under Requests."
    if _for_script():
        return for_script(HTTPStatus.NOT_FOUND, "There is no such job any more.")
    return render_template("message.html", title="There is no such job any more.", text=text), HTTPStatus.NOT_FOUND


def _not_failed(_: InvalidJobOperation) -> Any:
    return for_script(HTTPStatus.CONFLICT, "This job is not failed (any more).")


def with_policy(response: Response) -> Response:
    """The own policy of this prefix, on its pages; its data and files run nothing and keep the strict one."""
    if is_ours() and response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = policy()
    return response
