"""rq-dashboard inside the console: on a real Valkey, with each of its known holes tried."""

import re
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from deploy.local.valkey import ValkeyServer
from tests.admin_ui.conftest import ADMIN, SALES, Clock, Visitor, make_app
from tests.admin_ui.stand_in_api import StandInApi
from tests.admin_ui.test_headers import POLICY
from tests.rq_worker import WorkerOfTests
from tests.sentinel_stand_in import SentinelStandIn, url_of
from tripwire_admin_ui.auth.scripted_requests import QUEUE_DATA
from tripwire_admin_ui.rq_dashboard_host.escaping import escaped
from tripwire_admin_ui.rq_dashboard_host.queue_console import CHANGES, PAGES
from tripwire_shared.queue.request_queue import RequestQueue
from tripwire_shared.timings import UI_IDENTITY_KEPT

PAGE = "/admin/queue/"
EVIL = '<img src=x onerror="alert(1)">'
NOTED = "/api/admin/tripwire/activity/queue"
Build = Callable[[str], Visitor]


@pytest.fixture
def signed_in(api: StandInApi, clock: Clock) -> Build:
    def build(redis_url: str) -> Visitor:
        person = Visitor(make_app(api, clock, **({"REDIS_URL": redis_url} if redis_url else {})))
        assert person.sign_in(ADMIN).status_code == 303
        return person

    return build


@pytest.fixture
def admin(signed_in: Build, redis_url: str) -> Visitor:
    return signed_in(redis_url)


@pytest.fixture
def queue(redis_url: str) -> Iterator[Queue]:
    with Redis.from_url(redis_url) as redis:
        yield Queue("requests", connection=redis, serializer=JSONSerializer)


def put(queue: Queue, function: str = "tripwire.provision_customer", **more: object) -> Job:
    return queue.enqueue_call(function, args=("an-id",), description=EVIL, failure_ttl=60, **more)


def failed(queue: Queue) -> Job:
    job = put(queue, "math.sqrt")
    WorkerOfTests([queue], connection=queue.connection, serializer=JSONSerializer).work(
        burst=True, logging_level="CRITICAL"
    )
    return job


def csrf(person: Visitor) -> dict[str, str]:
    found = re.search(r'name="csrf-token" content="([^"]+)"', person.read(PAGE).text)
    assert found
    return {"X-CSRFToken": found[1]}


def test_behind_sentinels_it_is_the_masters_queue_and_shows_no_secret(signed_in: Build, valkey: ValkeyServer) -> None:
    sentinel = SentinelStandIn(valkey.port)
    query = "?sentinel_username=hidden-user&sentinel_password=hidden-password"
    try:
        admin = signed_in(url_of(sentinel, password="valkey-of-tests", query=query))
        for path in ("", "0/view/workers", "0/view/jobs"):
            answer = admin.read(PAGE + path)
            assert answer.status_code == 200
            assert "hidden-" not in answer.text
            assert "valkey-of-tests" not in answer.text
        sentinel.master_port = 9
        with Redis.from_url(valkey.url) as redis:
            redis.client_kill_filter(_type="normal", skipme=True)
        assert "Redis is down" in admin.read(PAGE).text
    finally:
        sentinel.stop()


def test_its_pages_stand_in_the_consoles_frame_with_their_own_policy(admin: Visitor, queue: Queue) -> None:
    job = put(queue)
    for path in ("", "0/view/workers", "0/view/jobs", "0/view/jobs/requests/queued/8/asc/1", f"0/view/job/{job.id}"):
        answer = admin.read(PAGE + path)
        assert answer.status_code == 200, path
        for words in ("System Health", "Sign out", "This page looks into Redis.", ">Workers</a>"):
            assert words in answer.text, words
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self' 'nonce-" in policy
        assert "'unsafe-inline'" not in policy.partition("style-src")[0]
        nonce = re.search(r"'nonce-([^']+)'", policy)
        assert nonce
        inline = re.findall(r"<script(?![^>]*(?:\ssrc=|text/template))[^>]*>", answer.text)
        assert inline == [f'<script nonce="{nonce[1]}">'], path


def test_the_looser_policy_holds_for_its_pages_only(admin: Visitor) -> None:
    for path in (f"{PAGE}static/js/underscore-umd-min.js", f"{PAGE}0/data/queues.json", "/admin/requests"):
        answer = admin.read(path)
        assert answer.status_code == 200, path
        assert answer.headers["Content-Security-Policy"] == POLICY, path
    assert admin.read(PAGE).headers["Content-Security-Policy"] != admin.read(PAGE).headers["Content-Security-Policy"]


def test_nothing_of_it_is_given_to_a_stranger_or_to_sales(admin: Visitor, api: StandInApi, clock: Clock) -> None:
    paths = [
        PAGE,
        f"{PAGE}0/data/queues.json",
        f"{PAGE}static/js/jquery-3.5.1.min.js",
        f"{PAGE}nothing",
        "/admin/queue",
    ]
    stranger, sales = (Visitor(admin.client.application) for _ in range(2))
    sales.sign_in(SALES)
    for path in paths:
        asked = stranger.read(path)
        if "/data/" in path:  # for a script, which then loads its page anew
            assert asked.status_code == 401, path
        else:
            assert (asked.location or "").startswith("/login?next="), path
        assert sales.read(path).status_code == 403, path


POLLED = ("0/data/queues.json", "0/data/workers.json", "0/data/jobs/requests/queued/8/asc/1.json")


def test_its_data_too_are_for_whoever_the_api_says_is_an_admin_now(admin: Visitor, api: StandInApi) -> None:
    for path in POLLED:
        assert admin.read(PAGE + path).status_code == 200, path
    [token] = api.state.tokens
    api.state.tokens[token] = {**api.state.tokens[token], "role": "sales"}
    time.sleep(UI_IDENTITY_KEPT)
    for path in (*POLLED, "", "0/view/jobs"):
        refused = admin.read(PAGE + path)
        assert refused.status_code == 403, path
        assert "queued_url" not in refused.text
    assert "My customers" in admin.read(PAGE).text
    api.state.tokens.clear()
    time.sleep(UI_IDENTITY_KEPT)
    cookie = admin.client.get_cookie("tripwire_session")
    assert cookie
    for path in POLLED:
        copy = Visitor(admin.client.application)
        copy.client.set_cookie("tripwire_session", cookie.value)
        assert copy.read(PAGE + path).status_code == 401, path
    assert "note=revoked" in admin.read(PAGE).location


def test_where_the_api_cannot_say_who_may_look_nothing_is_shown(admin: Visitor, api: StandInApi, queue: Queue) -> None:
    job, token = put(queue), csrf(admin)
    api.stop()
    time.sleep(UI_IDENTITY_KEPT)
    for path in (*POLLED, f"0/data/job/{job.id}.json"):
        refused = admin.read(PAGE + path)
        assert refused.status_code == 503, path
        assert "The API cannot be reached." in refused.json["detail"]
    page = admin.read(PAGE)
    assert page.status_code == 503
    assert "Whether you may see the queue could not be asked." in page.text
    assert admin.client.post(f"{PAGE}queue/requests/queued/empty", headers=token).status_code == 503
    assert queue.count == 1


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_a_failure_while_its_page_is_made_has_a_page_of_its_own(admin: Visitor, api: StandInApi, status: int) -> None:
    api.state.fail["/api/admin/system/mode"] = api.state.fail["/api/admin/system/metrics"] = status
    answer = admin.read(PAGE)
    assert answer.status_code == {401: 302, 403: 403}.get(status, 200)
    assert "Internal Server Error" not in answer.text


def test_a_page_left_open_ends_like_any_other(admin: Visitor, clock: Clock) -> None:
    """rq-dashboard's own polling is no use of it, and carries no word of ours."""
    admin.read(PAGE)
    for _ in range(5):
        clock.now += 5 * 60
        for path in POLLED:
            assert admin.read(PAGE + path).status_code == 200
        assert admin.read(PAGE, Accept="application/json").status_code == 200
    clock.now += 6 * 60
    assert admin.read(PAGE + POLLED[0]).status_code == 401
    asked = admin.read(PAGE)
    assert asked.location == f"/login?next={PAGE}&note=ended"


def test_going_from_page_to_page_is_use(admin: Visitor, clock: Clock) -> None:
    for _ in range(4):
        clock.now += 20 * 60
        assert admin.read(f"{PAGE}0/view/workers").status_code == 200


JOBS = f"{PAGE}0/%s/jobs/requests/%s"


@pytest.mark.parametrize(
    "rest",
    [
        "queued/0/asc/1", "queued/-1/asc/1", "queued/x/asc/1", "queued/101/asc/1", "queued/8/asc/0", "queued/8/asc/x",
        "queued/8/asc/99999999999999999999", "queued/8/sideways/1", "nothing/8/asc/1",
    ],
)  # fmt: skip
def test_numbers_and_names_that_are_none_are_said_and_not_failed_over(admin: Visitor, rest: str) -> None:
    assert admin.read(JOBS % ("view", rest)).status_code == 404
    data = admin.read(JOBS % ("data", rest) + ".json")
    assert data.status_code == 404
    assert data.json["detail"] in ("There is no such list.",)


def test_only_known_addresses_of_it_are_let_through(admin: Visitor, api: StandInApi, queue: Queue) -> None:
    token = csrf(admin)
    for path in ("favicon.ico", "1/", "1/data/queues.json", "0/nothing"):
        assert admin.read(PAGE + path).status_code == 404, path
    assert admin.client.post(f"{PAGE}queue/requests/nothing/empty", headers=token).status_code == 404
    assert not api.calls_of("POST", NOTED)


def test_its_addresses_are_all_known(admin: Visitor) -> None:
    """Those of a newer version that are not are refused until somebody has looked at them."""
    endpoints = {rule.endpoint for rule in admin.client.application.url_map.iter_rules()}
    known = PAGES | QUEUE_DATA | set(CHANGES) | {"rq_dashboard.static", "rq_dashboard.favicon"}
    assert {endpoint for endpoint in endpoints if endpoint.startswith("rq_dashboard.")} == known


def test_a_job_that_is_not_failed_any_more_is_said(admin: Visitor, queue: Queue) -> None:
    job, token = put(queue), csrf(admin)
    refused = admin.client.post(f"{PAGE}job/{job.id}/requeue", headers=token)
    assert refused.status_code == 409
    assert refused.json["detail"] == "This job is not failed (any more)."


def test_a_change_after_the_session_is_told_to_the_script(admin: Visitor, clock: Clock, queue: Queue) -> None:
    put(queue)
    token = csrf(admin)
    clock.now += 31 * 60
    assert admin.client.post(f"{PAGE}queue/requests/queued/empty", headers=token).status_code == 401
    assert queue.count == 1


def test_its_templates_escape_all_that_comes_from_redis_or_the_address(admin: Visitor) -> None:
    environment = admin.client.application.jinja_env
    names = [name for name in environment.list_templates() if name.startswith("rq_dashboard/")]
    assert len(names) > 8
    for name in names:
        source, _, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr]
        assert "<%=" not in source, name
        assert not re.search(r"'\{\{", source) or not name.endswith(".js"), name


def test_what_is_escaped_by_hand_is_not_escaped_twice() -> None:
    assert escaped("rq_dashboard/jobs.html", "<%= $('<div/>').text(d.description).html() %>") == "<%- d.description %>"


def test_a_queues_name_from_the_address_does_not_get_into_script(admin: Visitor) -> None:
    page = admin.read(f"{PAGE}0/view/jobs/x');alert(1);('<script>/queued/8/asc/1").text
    assert "val('x');alert(1)" not in page
    assert "<script>/queued" not in page
    assert '("x\\u0027);alert(1);(\\u0027\\u003cscript\\u003e")' in page


def test_a_busy_worker_with_a_json_job_is_shown_without_its_arguments(admin: Visitor, queue: Queue) -> None:
    job = put(queue)
    worker = WorkerOfTests([queue], connection=queue.connection, serializer=JSONSerializer)
    worker.register_birth()
    worker.prepare_execution(job)
    [shown] = admin.read(f"{PAGE}0/data/workers.json").json["workers"]
    assert shown["current_job"]["job_id"] == job.id
    assert "an-id" not in str(shown)


def test_it_reads_the_jobs_that_the_api_writes(admin: Visitor, queue: Queue) -> None:
    """The API writes them without RQ (shared/tripwire_shared/queue/job_form.py)."""
    request_id = uuid4()
    RequestQueue(queue.connection).push([request_id])
    [listed] = admin.read(f"{PAGE}0/data/jobs/requests/queued/8/asc/1.json").json["jobs"]
    assert (listed["id"], listed["description"]) == (str(request_id), "provision customer")
    shown = admin.read(f"{PAGE}0/data/job/{request_id}.json").json
    assert (shown["id"], shown["status"], shown["origin"]) == (str(request_id), "queued", "requests")
    assert admin.read(f"{PAGE}0/view/job/{request_id}").status_code == 200
    [counted] = admin.read(f"{PAGE}0/data/queues.json").json["queues"]
    assert counted["name"] == "requests"
    assert counted["count"] == 1


def test_looking_changes_nothing(admin: Visitor, api: StandInApi, queue: Queue) -> None:
    failed(queue)
    assert admin.read(f"{PAGE}requeue/requests").status_code == 405
    assert len(queue.failed_job_registry) == 1
    assert not api.calls_of("POST", NOTED)


def test_without_the_token_nothing_is_changed(admin: Visitor, api: StandInApi, queue: Queue) -> None:
    put(queue)
    for headers in ({}, {"X-CSRFToken": "another"}):
        assert admin.client.post(f"{PAGE}queue/requests/queued/empty", headers=headers).status_code == 400
    assert queue.count == 1
    assert not api.calls_of("POST", NOTED)


def test_every_change_is_noted_and_done(admin: Visitor, api: StandInApi, queue: Queue) -> None:
    job, token = failed(queue), csrf(admin)
    done = [
        (f"job/{job.id}/requeue", {"what": "requeue", "detail": {"job": job.id}}),
        ("queue/requests/compact", {"what": "compact", "detail": {"queue": "requests"}}),
        (f"job/{job.id}/delete", {"what": "delete", "detail": {"job": job.id}}),
        ("requeue/requests", {"what": "requeue all", "detail": {"queue": "requests"}}),
        ("queue/requests/queued/empty", {"what": "empty", "detail": {"queue": "requests", "registry": "queued"}}),
    ]
    for path, noted in done:
        assert admin.client.post(PAGE + path, headers=token).json["status"] == "OK", path
        assert api.calls_of("POST", NOTED)[-1].body == noted
    assert (queue.count, len(queue.failed_job_registry)) == (0, 0)
    assert "cleared a list of jobs in Redis" in admin.read("/admin/activity").text


def test_what_cannot_be_noted_is_not_done(admin: Visitor, api: StandInApi, queue: Queue) -> None:
    put(queue)
    token = csrf(admin)
    api.state.fail[NOTED] = 503
    answer = admin.client.post(f"{PAGE}queue/requests/queued/empty", headers=token)
    assert answer.status_code == 503
    assert answer.json["detail"].startswith("Not done: it could not be written to Activity.")
    assert queue.count == 1


def test_all_its_changes_are_known(admin: Visitor) -> None:
    """A newer version with one more would otherwise change things past the log."""
    rules = admin.client.application.url_map.iter_rules()
    changing = {rule.endpoint for rule in rules if rule.endpoint.startswith("rq_dashboard.") and "POST" in rule.methods}
    assert changing == set(CHANGES)


def test_a_job_or_a_redis_that_is_not_there_says_so(admin: Visitor) -> None:
    missing = admin.read(f"{PAGE}0/view/job/nothing")
    assert missing.status_code == 404
    assert "What became of the customer stands under Requests." in missing.text
    assert admin.read(f"{PAGE}0/data/job/nothing.json").status_code == 404
    assert admin.read(f"{PAGE}7/view/workers").status_code == 404


def test_without_an_address_of_redis_the_page_says_so_and_the_rest_works(signed_in: Build) -> None:
    admin = signed_in("")
    page = admin.read(PAGE)
    assert page.status_code == 200
    assert "This page does not know where Redis is" in page.text
    assert admin.read("/admin/requests").status_code == 200


def test_a_refused_redis_is_said_at_once(signed_in: Build, api: StandInApi, own_valkey: ValkeyServer) -> None:
    admin = signed_in(own_valkey.url)
    assert "rq-dashboard" in admin.read(PAGE).text
    token = csrf(admin)
    own_valkey.stop()
    api.state.redis_goes_down()
    started = time.monotonic()
    page = admin.read(PAGE).text
    assert time.monotonic() - started < 1
    assert "Redis is down, so there is no queue to show" in page
    assert "Customers are still being created, directly." in page
    assert admin.read(f"{PAGE}0/data/queues.json").status_code == 503
    refused = admin.client.post(f"{PAGE}queue/requests/queued/empty", headers=token)
    assert refused.status_code == 503
    assert not api.calls_of("POST", NOTED)
    own_valkey.start()
    assert admin.read(f"{PAGE}0/data/queues.json").status_code == 200  # the stale connection is replaced
    assert "registered queues" in admin.read(PAGE).text


def test_a_frozen_redis_costs_less_than_a_second(signed_in: Build, own_valkey: ValkeyServer) -> None:
    admin = signed_in(own_valkey.url)
    admin.read(PAGE)
    own_valkey.freeze()
    try:
        for path in (PAGE, f"{PAGE}0/view/workers", f"{PAGE}0/data/workers.json"):
            started = time.monotonic()
            answer = admin.read(path)
            assert time.monotonic() - started < 1, path
            assert answer.status_code == (503 if "/data/" in path else 200), path
    finally:
        own_valkey.thaw()
    assert "registered queues" in admin.read(PAGE).text


def test_where_only_this_page_cannot_reach_redis_it_does_not_say_more(signed_in: Build) -> None:
    page = signed_in("redis://127.0.0.1:1/0").read(PAGE).text
    assert "Only this page cannot reach it: the API says that Redis is up." in " ".join(page.split())
    assert "created, directly" not in page
