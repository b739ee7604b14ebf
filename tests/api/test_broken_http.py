"""What is no HTTP, or too much of it, through the real server: a problem document too, and no secret in the log."""

import json
import socket
from email import message_from_bytes
from urllib.parse import urlsplit

import pytest

from tests.sales_manager import CREATE
from tests.stack import Stack

GOOD = b'{"email": "anna@example.com", "full_name": "Anna K."}'
SECRET = "tsm_a-secret"


def ask(stack: Stack, raw: bytes) -> tuple[int, dict[str, str], dict[str, object]]:
    """Status, headers and problem document of what the server answers to these bytes."""
    address = urlsplit(stack.api_url)
    with socket.create_connection((address.hostname, address.port or 0), timeout=5) as connection:
        connection.sendall(raw)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    line, _, headers = head.partition(b"\r\n")
    return int(line.split()[1]), dict(message_from_bytes(headers).items()), json.loads(body)


JSON = "Content-Type: application/json"


def post(token: str, *headers: str, body: bytes = GOOD, length: bool = True, type_: str = JSON) -> bytes:
    lines = [f"POST {CREATE} HTTP/1.1", "Host: x", "Connection: close", *([type_] if type_ else [])]
    lines += [f"Authorization: Bearer {token}", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def pieces(body: bytes) -> bytes:
    """In the form of Transfer-Encoding: chunked."""
    return (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"


def filled(size: int) -> bytes:
    return GOOD + b" " * (size - len(GOOD))


@pytest.mark.slow
def test_each_is_a_problem_document(stack: Stack, capfd: pytest.CaptureFixture[str], subtests: pytest.Subtests) -> None:
    stack.start_api(LOG_LEVEL="debug")
    token = stack.log_in()
    chunked = ("Transfer-Encoding: chunked",)
    cases = {
        "no HTTP": (b"hello\r\n\r\n", {400}),
        "a control character in a key": (post(SECRET, "Idempotency-Key: a\x01b"), {400, 422}),
        "a key of 20,000 characters": (post(SECRET, "Idempotency-Key: " + "x" * 20_000), {431}),
        "an address of 20,000 characters": (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {414}),
        "a broken chunk": (post(token, *chunked, body=b"zz\r\nabc\r\n", length=False), {400}),
        "chunks of more than 64 KiB": (
            post(token, *chunked, body=b"11000\r\n" + b" " * 0x11000 + b"\r\n0\r\n\r\n", length=False),
            {413},
        ),
    }
    for case, (raw, statuses) in cases.items():
        with subtests.test(case):
            status, headers, problem = ask(stack, raw)
            assert status in statuses
            assert headers["Content-Type"] == "application/problem+json"
            assert headers["X-Request-ID"]
            assert problem["status"] == status
    for case, raw, expected in (
        ("a key twice", post(token, "Idempotency-Key: a", "Idempotency-Key: b"), 422),
        ("the same key twice", post(token, "Idempotency-Key: a", "idempotency-key: a"), 422),
        ("pieces without a type", post(token, *chunked, body=pieces(GOOD), length=False, type_=""), 415),
        ("nothing, in pieces, without a type", post(token, *chunked, body=pieces(b""), length=False, type_=""), 400),
        ("pieces in a Content-Encoding",
         post(token, *chunked, "Content-Encoding: gzip", body=pieces(GOOD), length=False), 415),
        ("64 KiB and a byte, in pieces", post(token, *chunked, body=pieces(filled(65537)), length=False), 413),
        ("64 KiB and a byte", post(token, body=filled(65537)), 413),
        ("exactly 64 KiB", post(token, body=filled(65536)), 202),
        ("exactly 64 KiB, in pieces", post(token, *chunked, body=pieces(filled(65536)), length=False), 409),
    ):  # fmt: skip
        with subtests.test(case):
            status, _, problem = ask(stack, raw)
            assert status == expected, problem
    kept = GOOD.replace(b"anna", b"bek")
    status, _, accepted = ask(stack, post(token, "Idempotency-Key: a,b", body=kept))
    assert status == 202, "a comma may be part of a key"
    kept = GOOD.replace(b"anna", b"cleo")
    status, _, accepted = ask(stack, post(token, *chunked, body=pieces(kept), length=False))
    assert (status, accepted["success"]) == (202, True)
    assert SECRET not in capfd.readouterr().out


# What a server may believe of the proxy before it; ours runs on the same machine and hands on what strangers send.
OF_STRANGERS = (
    "SCRIPT_NAME: /x",
    "SCRIPT_NAME: /api",
    "PATH_INFO: /api/admin/system/mode",
    "Script-Name: /x",
    "REMOTE_USER: admin@example.com",
    "REMOTE_ADDR: 10.0.0.1",
    "HTTP_AUTHORIZATION: Bearer x",
    "X_Forwarded_For: 10.0.0.1",
    "wsgi.url_scheme: https",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\nX-Forwarded-Protocol: http",
    "X-Forwarded-Prefix: /x",
    "X-Forwarded-Host: evil.example.net",
    "X-Original-URL: /api/admin/system/mode",
    "Forwarded: for=10.0.0.1;proto=https",
)


@pytest.mark.slow
def test_headers_of_strangers_do_nothing(stack: Stack, capfd: pytest.CaptureFixture[str]) -> None:
    stack.start_api()
    stack.start_admin_ui()
    console = urlsplit(stack.admin_ui_url)
    token = stack.log_in()
    capfd.readouterr()
    for number, header in enumerate(OF_STRANGERS):
        body = json.dumps({"email": f"anna{number}@example.com", "full_name": "Anna K."}).encode()
        status, _, answer = ask(stack, post(token, header, body=body))
        assert (status, answer["success"]) == (202, True), header
        with socket.create_connection((console.hostname, console.port or 0), timeout=5) as connection:
            connection.sendall(f"GET /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n\r\n".encode())
            page = b""
            while part := connection.recv(65536):
                page += part
        assert page.startswith(b"HTTP/1.1 200"), header
        assert b"evil" not in page, header
    assert capfd.readouterr().out == ""


@pytest.mark.slow
def test_the_console_quotes_nothing_of_what_it_cannot_read(stack: Stack, capfd: pytest.CaptureFixture[str]) -> None:
    stack.api_url = "http://127.0.0.1:9"
    stack.start_admin_ui(LOG_LEVEL="debug")
    console = urlsplit(stack.admin_ui_url)
    for raw in (b"GET /?q=Anastasia\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nAnastasia (x): 1\r\n\r\n"):
        with socket.create_connection((console.hostname, console.port or 0), timeout=5) as connection:
            connection.sendall(raw)
            answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 400"), raw
        assert b"Anastasia" not in answer
    assert "Anastasia" not in capfd.readouterr().out
