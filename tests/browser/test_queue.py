"""rq-dashboard's pages in a browser, on a real Valkey full of texts that would like to be script."""

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer
from werkzeug.serving import make_server

from tests.admin_ui.stand_in_api import StandInApi
from tests.browser.axe import complaints
from tests.compiled_templates import with_compiled_templates
from tests.rq_worker import WorkerOfTests
from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.app import create_app
from tripwire_shared.settings import load_settings

PAGE = "/admin/queue/"
# Without a slash, so that it can be a queue's name in an address.
EVIL = "<script>owned = 1<script>\"');owned = 1;('<img src=x onerror='owned = 1'>"


@pytest.fixture
def address(api: StandInApi, redis_url: str) -> Iterator[str]:
    """The admin UI as elsewhere, but told where Redis is."""
    settings = load_settings(
        environ={"SECRET_KEY": "a-secret-key-for-tests-only-0123456789", "REDIS_URL": redis_url}, dotenv=None
    )
    app = with_compiled_templates(create_app(settings, ApiClient(api.url)))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(timeout=5)
    server.server_close()


@pytest.fixture
def paths(redis_url: str) -> Iterator[list[str]]:
    """A failed job, a waiting one and a busy worker, each with script for a name; the pages that show them."""
    with Redis.from_url(redis_url) as redis:
        queue = Queue(EVIL, connection=redis, serializer=JSONSerializer)
        failed = queue.enqueue_call("math.sqrt", args=(EVIL,), description=EVIL, failure_ttl=60, meta={"note": EVIL})
        WorkerOfTests([queue], connection=redis, serializer=JSONSerializer).work(burst=True, logging_level="CRITICAL")
        waiting = queue.enqueue_call("math.sqrt", args=(EVIL,), description=EVIL)
        worker = WorkerOfTests([queue], connection=redis, serializer=JSONSerializer, name=EVIL)
        worker.register_birth()
        worker.prepare_execution(waiting)
        lists = [f"{PAGE}0/view/jobs/{quote(EVIL)}/{registry}/8/asc/1" for registry in ("queued", "failed")]
        jobs = [f"{PAGE}0/view/job/{job.id}" for job in (failed, waiting)]
        yield [PAGE, f"{PAGE}0/view/workers", *lists, *jobs]


def test_no_text_from_redis_runs_as_script(page: Any, paths: list[str], messages: list[str]) -> None:
    for path in paths:
        page.goto(path)
        page.wait_for_selector(".queue-content >> text=Loading", state="detached")
        page.clock.run_for(6000)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("typeof owned") == "undefined", path
        assert page.locator(".queue-content img").count() == 0, path
    for path, place in ((paths[1], "#workers"), (paths[3], "#jobs"), (paths[4], "#job-data")):
        page.goto(path)
        page.wait_for_selector(f"{place} >> text=owned = 1 >> nth=0")
    assert messages == []


def test_a_failed_job_is_requeued_with_its_button(page: Any, api: StandInApi, paths: list[str], redis_url: str) -> None:
    page.goto(paths[4])
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.click("#requeue-job-btn")
    page.clock.run_for(6000)
    page.wait_for_selector("#job-data p:has-text('Status') >> text=/queued$/")
    assert [call.body["what"] for call in api.calls_of("POST", "/api/admin/tripwire/activity/queue")] == ["requeue"]


def test_what_is_refused_is_said(page: Any, api: StandInApi, paths: list[str]) -> None:
    page.goto(paths[4])
    api.state.fail["/api/admin/tripwire/activity/queue"] = 503
    page.click("#requeue-job-btn")
    page.wait_for_selector("#queue-problem >> text=Not done: it could not be written to Activity.")


@pytest.mark.timeout(120)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(page: Any, paths: list[str]) -> None:
    for path in paths:
        page.goto(path)
        page.wait_for_selector(".queue-content >> text=Loading", state="detached")
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} at {width}"
            assert complaints(page) == [], f"{path} at {width}"


def test_a_page_left_open_leads_to_the_sign_in_once_the_session_is_over(page: Any, api: StandInApi) -> None:
    page.goto(PAGE)
    page.wait_for_selector("#queues >> text=No queues")  # its next question is a timer from here on
    api.state.tokens.clear()
    page.clock.run_for(6000)
    page.wait_for_url("**/login?next=/admin/queue/**")
    page.wait_for_selector("text=You were signed out")


def test_a_hidden_page_asks_for_nothing_and_looks_at_once_when_it_is_seen_again(page: Any, api: StandInApi) -> None:
    page.goto(PAGE)
    page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    see = "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); "
    page.evaluate(see + "document.dispatchEvent(new Event('visibilitychange')); }", True)
    page.clock.run_for(30_000)
    assert asked == []
    assert page.locator("#queue-problem").is_hidden()
    api.state.tokens.clear()
    page.evaluate(see + "document.dispatchEvent(new Event('visibilitychange')); }", False)
    page.wait_for_url("**/login?next=/admin/queue/**")
