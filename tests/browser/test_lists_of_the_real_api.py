"""The lists before the real API and database: ten thousand requests, a retry to its end, and Redis stopped."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
import requests

from deploy.local.valkey import ValkeyServer
from tests.stack import ADMIN_EMAIL, ADMIN_PASSWORD, Stack
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
MANY = 10_000
FAILED = 130
SEED = """
INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, status, mode, attempts, error,
                                   accepted_at, due_at, finished_at)
SELECT gen_random_uuid(), 'c' || n || '@example.com', 'Customer ' || n, 5000, 'KZT', (SELECT id FROM staff LIMIT 1),
       CASE WHEN n <= %(failed)s THEN 'failed' ELSE 'duplicate' END, 'async', 3,
       'The database refused (CheckViolation).',
       now() - n * interval '1 minute', now(), now()
FROM generate_series(1, %(many)s) AS n
"""


@pytest.fixture
def console(stack: Stack, own_valkey: ValkeyServer, chromium: Any) -> Iterator[Any]:
    """A page signed in as the first admin of a stack on a Valkey that the test may stop."""
    stack.environ["REDIS_URL"] = own_valkey.url
    stack.start_api()
    stack.start_admin_ui()
    context = chromium.new_context(base_url=stack.admin_ui_url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.goto("/login")
    page.fill("#email", ADMIN_EMAIL)
    page.fill("#password", ADMIN_PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_selector("#live:not([hidden])")
    yield page
    context.close()


def seed(database_url: str) -> None:
    connection = psycopg2.connect(database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute(SEED, {"many": MANY, "failed": FAILED})
    connection.close()


def test_ten_thousand_requests_are_listed_searched_paged_and_retried(
    console: Any, stack: Stack, database_url: str
) -> None:
    seed(database_url)
    began = time.monotonic()
    console.goto("/admin/requests")
    assert time.monotonic() - began < 5
    assert "50 of 10,000 requests" in console.inner_text(".list-foot")
    assert console.locator("tbody tr").count() == 50
    first = console.inner_text("tbody tr >> nth=0")
    console.click("text=Older")
    console.wait_for_selector("a[rel=prev]")
    assert console.inner_text("tbody tr >> nth=0") != first
    console.click("a[rel=prev]")
    console.wait_for_selector(f"text={first.splitlines()[1]}")
    console.fill("[name=q]", "c9999@")
    console.press("[name=q]", "Enter")
    console.wait_for_selector("text=1 of 1 requests")

    stack.start_worker()
    console.goto("/admin/requests?status=failed")
    console.click(f"text=Retry all {FAILED}…")
    console.click("#dialog button.primary")
    console.wait_for_selector(f"text={FAILED} requests queued for retry", timeout=30_000)
    assert console.locator("text=Retry all").count() == 0
    console.goto("/admin/requests?status=provisioned&q=c7@")
    console.wait_for_selector("tbody >> text=Provisioned", timeout=60_000)
    console.click("tbody a")
    for words in ("Retried by", "No customer with this email", "Provisioned"):
        console.wait_for_selector(f".timeline >> text={words}")
    assert console.said == []


def test_a_customer_entered_in_the_console_is_found_changed_and_erased(console: Any, stack: Stack) -> None:
    stack.start_worker()
    console.goto("/admin/customers/new")
    console.fill("[name=email]", "anna@example.com")
    console.fill("[name=full_name]", "<script>alert(1)</script>")
    console.click("text=Add the customer")
    console.wait_for_selector(".page-title >> text=Provisioned", timeout=30_000)
    console.click(".facts a")
    console.wait_for_selector("h1:text-is('<script>alert(1)</script>')")
    console.select_option("[name=status]", "completed")
    console.click("text=Change status")
    console.wait_for_selector("text=changed the status of a customer to completed")
    console.click("text=Send a new link now")
    console.wait_for_selector("text=The old link no longer works.")
    console.click("text=Erase personal data…")
    console.fill("#dialog [name=email]", "anna@example.com")
    console.click("#dialog button.danger")
    console.wait_for_selector("h1:text-is('Erased customer')")
    console.goto("/admin/activity")
    for words in (
        "erased the personal data of a customer",
        "sent a customer a new link",
        "changed the status of a customer to completed",
    ):
        assert console.is_visible(f"text={words}"), words
    assert console.said == []


@pytest.mark.long
def test_the_queue_page_says_that_redis_stopped_and_comes_back(console: Any, own_valkey: ValkeyServer) -> None:
    console.goto("/admin/queue/")
    console.wait_for_selector("#queues >> text=No queues.")
    own_valkey.stop()
    console.wait_for_selector("text=Redis is down, so there is no queue to show", timeout=20_000)
    console.wait_for_selector("text=Customers are still being created, directly.")
    own_valkey.start()
    console.wait_for_selector("#queues", timeout=20_000)


@pytest.mark.long
def test_a_change_on_the_queue_page_is_asked_done_and_written_down(
    console: Any, own_valkey: ValkeyServer, stack: Stack
) -> None:
    headers = {"Authorization": f"Bearer {stack.log_in()}"}
    body = {"email": "anna@example.com", "full_name": "Anna K."}
    answer = requests.post(f"{stack.api_url}/api/admin/tripwire/users", json=body, headers=headers, timeout=10)
    assert answer.status_code == 202
    console.goto("/admin/queue/0/view/jobs/requests/queued/8/asc/1")
    console.wait_for_selector("#jobs >> text=provision customer")
    console.click("text=Empty queue")
    console.wait_for_selector("#confirmation-modal >> text=Really empty?")
    console.click("#confirmation-modal-yes")
    console.wait_for_selector("#jobs >> text=No jobs.")
    console.goto("/admin/activity")
    console.wait_for_selector("text=cleared a list of jobs in Redis (queue requests, registry queued)")
    stack.start_worker()  # nothing is lost: the sweep finds it in the database

    def provisioned() -> bool:
        found = requests.get(stack.api_url + answer.headers["Location"], headers=headers, timeout=10).json()
        return bool(found["status"] == "provisioned")

    wait_until(provisioned, 30, what="the request provisioned")
    assert console.said == []
