"""The edge before real services: TLS, who asks, what is not routed, limits, and what it says while nobody answers."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import requests

from tests.edge_server import HOST, EdgeServer, unverified
from tests.sales_manager import CREATE, Manager, new_email
from tests.stack import ADMIN_EMAIL, ADMIN_PASSWORD, Stack
from tests.waiting import wait_until

ADDRESS = "198.51.100.7"  # of nobody (RFC 5737)


@pytest.fixture
def edge(stack: Stack) -> Iterator[EdgeServer]:
    stack.start_api()
    edge = EdgeServer(stack.folder, stack.api_url, stack.api_url)
    edge.start()
    yield edge
    edge.stop()


@pytest.fixture
def client(edge: EdgeServer) -> requests.Session:
    session = requests.Session()
    session.verify = session.trust_env = False  # the certificate is of the edge's own authority
    return session


def test_a_customer_is_created_through_it(stack: Stack, edge: EdgeServer, client: requests.Session) -> None:
    stack.start_worker()
    manager = Manager(edge.url, stack.log_in(), client)
    answer = manager.create()
    assert answer.status_code == 202, answer.text
    manager.wait_for(answer.json()["request_id"], "provisioned", 20)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Server" not in answer.headers
    held = manager.call("GET", answer.headers["Location"], headers={"Prefer": "wait=5"})
    assert held.json()["status"] == "provisioned"


def test_http_leads_to_https(edge: EdgeServer) -> None:
    answer = requests.get(f"http://{HOST}:{edge.http_port}/docs?a=b", allow_redirects=False, timeout=5)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{edge.url}/docs?a=b")


def test_http_2_is_spoken(edge: EdgeServer) -> None:
    plain = socket.create_connection((HOST, edge.port), timeout=5)
    with unverified("h2", "http/1.1").wrap_socket(plain, server_hostname=HOST) as connection:
        assert connection.selected_alpn_protocol() == "h2"


def test_figures_are_not_routed_from_outside(stack: Stack, edge: EdgeServer, client: requests.Session) -> None:
    assert requests.get(f"{stack.api_url}/metrics", timeout=5).status_code == 200
    for url in (edge.url, edge.console_url):
        for path in ("/metrics", "/metrics/", "/%6Detrics", "//metrics"):
            answer = client.get(url + path, timeout=5, allow_redirects=False)
            assert "tripwire_" not in answer.text, path
    assert client.get(f"{edge.url}/metrics", timeout=5).headers["Content-Type"] == "application/problem+json"


def test_the_client_s_address_is_the_one_that_the_edge_sees(
    stack: Stack, edge: EdgeServer, client: requests.Session
) -> None:
    """Five failures from one address close an account to it, whatever addresses it claims to have."""
    body = {"email": ADMIN_EMAIL, "password": "wrong"}
    for number in range(5):
        forged = {"X-Forwarded-For": f"203.0.113.{number}"}
        assert client.post(f"{edge.url}/api/auth/login", json=body, headers=forged, timeout=10).status_code == 401
    assert client.post(f"{edge.url}/api/auth/login", json=body, timeout=10).status_code == 429
    # The console's own address counts for nobody: it names its browsers.
    right = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    named = {"X-Forwarded-For": ADDRESS}
    answer = requests.post(f"{edge.console_url}/api/auth/login", json=right, headers=named, timeout=10)
    assert answer.status_code == 200, answer.text


def test_the_console_behind_it_has_cookies_that_belong_to_it_alone(
    stack: Stack, edge: EdgeServer, client: requests.Session
) -> None:
    stack.start_admin_ui(API_URL=edge.console_url)
    before_both = EdgeServer(stack.folder, stack.api_url, stack.admin_ui_url)
    before_both.start()
    try:
        answer = client.get(f"{before_both.url}/login", timeout=5)
        assert answer.status_code == 200
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-tripwire_session=")
        assert "; Secure" in cookie
        token = answer.text.partition('name="csrf_token" value="')[2].partition('"')[0]
        form = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD, "csrf_token": token}
        signed_in = client.post(f"{before_both.url}/login", data=form, headers={"Origin": before_both.url}, timeout=10)
        assert signed_in.url.startswith(f"{before_both.url}/admin"), signed_in.text
    finally:
        before_both.stop()


def test_a_body_that_nobody_takes_is_refused(stack: Stack, edge: EdgeServer, client: requests.Session) -> None:
    headers = {"Authorization": f"Bearer {stack.log_in()}", "Content-Type": "application/json"}
    answer = client.post(edge.url + CREATE, data=b"x" * 65 * 1024, headers=headers, timeout=15)
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, "application/problem+json")
    with suppress(requests.ConnectionError):  # the refusal came while it was still being sent
        assert client.post(edge.url + CREATE, data=b"x" * 7_000_000, headers=headers, timeout=15).status_code == 413


@pytest.mark.long
def test_while_nobody_answers_it_says_so(stack: Stack, edge: EdgeServer, client: requests.Session) -> None:
    stack.stop()
    began = time.monotonic()
    answer = client.post(edge.url + CREATE, json={}, timeout=15)
    assert answer.status_code in (502, 503)
    assert time.monotonic() - began < 7
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "2"
    assert answer.json()["status"] == answer.status_code
    page = client.get(f"{edge.url}/admin", headers={"Accept": "text/html"}, timeout=15)
    assert page.status_code in (502, 503)
    assert "Сейчас нет связи" in page.text


def test_an_instance_that_comes_back_is_found_by_itself(
    stack: Stack, edge: EdgeServer, client: requests.Session
) -> None:
    """Nothing was sent to it: the request waits at the edge, and goes on when the API is there again."""
    [api] = stack.children
    token = stack.log_in()
    api.stop()
    api.start()
    assert Manager(edge.url, token, client).create().status_code == 202


def test_its_log_holds_no_secret_and_no_person(stack: Stack, edge: EdgeServer, client: requests.Session) -> None:
    email, token = new_email(), stack.log_in()
    manager = Manager(edge.url, token, client)
    assert manager.create(email).status_code == 202
    assert manager.call("GET", f"/api/admin/tripwire/requests?q={email}").status_code == 200
    client.get(f"{edge.url}/invitations/a-secret-of-a-link", timeout=5)
    wait_until(lambda: any("/invitations/" in line for line in edge.lines), 5)
    text = "\n".join(edge.lines)
    for word in (email, email.partition("@")[0], token, "a-secret-of-a-link"):
        assert word not in text
    logged = [json.loads(line) for line in edge.lines if '"handled request"' in line]
    assert any(line["request"]["uri"] == "/api/admin/tripwire/requests" for line in logged)
    assert all(line["resp_headers"].get("X-Request-Id") for line in logged if "/api/" in line["request"]["uri"])
