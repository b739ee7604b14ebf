"""Whatever an error quotes and whichever logger it goes to: no line shows it, and each line names its service."""

import io
import json
import logging
import smtplib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import psycopg2
import pytest
import requests
import structlog
from hypothesis import given
from hypothesis import strategies as st

from tripwire_shared.errors import DatabaseUnavailable
from tripwire_shared.log_text import hidden, loggable, said, traceback_text
from tripwire_shared.logs import configure_logging, get_logger

NAME = "Anastasia Persönlich"
EMAIL = "anastasia.p@example.com"
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"
ROW = f"Failing row contains (7, {EMAIL}, {NAME}, {HASH})."
PERSONAL = (NAME, EMAIL, HASH, "anastasia", "argon2id")

# Errors as the standard library and the libraries of our services raise them, each with what it was given in its text.
QUOTING: list[Callable[[], Exception]] = [
    lambda: psycopg2.errors.CheckViolation(ROW),
    lambda: ValueError(f"invalid literal for int() with base 10: {NAME!r}"),
    lambda: KeyError(EMAIL),
    lambda: UnicodeEncodeError("ascii", NAME, 10, 11, "ordinal not in range"),
    lambda: smtplib.SMTPRecipientsRefused({EMAIL: (550, NAME.encode())}),
    lambda: smtplib.SMTPDataError(554, f"no such person: {NAME}"),
    lambda: requests.ConnectionError(f"Max retries exceeded with url: /bot1:a-token/send?q={NAME}"),
    lambda: FileNotFoundError(2, "No such file or directory", f"/mail/{EMAIL}/{NAME}"),
    lambda: json.JSONDecodeError(NAME, NAME, 0),
    lambda: DatabaseUnavailable(f"for {EMAIL}"),
    lambda: TypeError(f"not for {EMAIL}"),
]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """What was logged since the last call, as the service `tests`."""
    out = io.StringIO()

    def read() -> str:
        written = out.getvalue()
        out.seek(0)
        out.truncate()
        return written

    kept = logging.getLogger().handlers[:], logging.getLogger().level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", out)
        configure_logging("tests", "debug", "json")
    yield read
    logging.getLogger().handlers[:] = kept[0]
    logging.getLogger().setLevel(kept[1])
    for package in ("tripwire_shared", "tripwire_api", "tripwire_worker", "tripwire_admin_ui"):
        logging.getLogger(package).setLevel(logging.NOTSET)
    logging.captureWarnings(False)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    structlog.reset_defaults()


def assert_nothing_personal(text: str) -> None:
    assert text
    for word in PERSONAL:
        assert word not in text, text
    assert NAME.encode("unicode_escape").decode() not in text, text


def raised(first: Exception, then: Exception, *, caused: bool) -> Exception:
    try:
        try:
            raise first
        except Exception as error:
            raise then from (error if caused else None)
    except Exception as error:
        return error


@given(first=st.sampled_from(QUOTING), then=st.sampled_from(QUOTING), caused=st.booleans(), grouped=st.booleans())
def test_no_error_is_quoted_at_any_place_of_a_chain(
    first: Callable[[], Exception], then: Callable[[], Exception], caused: bool, grouped: bool
) -> None:
    error = raised(first(), then(), caused=caused)
    error.add_note(NAME)
    if grouped:
        error = ExceptionGroup(NAME, [error, first()])
    text = traceback_text((type(error), error, error.__traceback__))
    assert_nothing_personal(text)
    assert type(error).__name__ in text
    assert_nothing_personal(said(error))


@pytest.mark.parametrize("make", QUOTING, ids=lambda make: type(make()).__name__)
def test_by_every_way_into_the_log(make: Callable[[], Exception], lines: Callable[[], str]) -> None:
    library = logging.getLogger("some.library")
    try:
        raise RuntimeError(NAME) from make()
    except RuntimeError as error:
        get_logger(__name__).exception("failed", error=error, told={"errors": [error.__cause__]})
        library.exception("failed: %s", error)
        library.error("failed: %(error)r", {"error": error})
        library.error(error)
    written = lines()
    assert_nothing_personal(written)
    assert [json.loads(line)["service"] for line in written.splitlines()] == ["tests"] * 4
    assert "test_by_every_way_into_the_log" in written, "where it happened is told"


def test_an_object_of_which_nobody_knows_what_it_shows_is_only_named(lines: Callable[[], str]) -> None:
    class Claim:
        def __repr__(self) -> str:
            return f"Claim({NAME})"

    get_logger(__name__).warning("taken", claim=Claim(), about=(Claim(),), of={EMAIL: 1})
    written = lines()
    assert_nothing_personal(written)
    assert json.loads(written)["claim"] == "<Claim>"


def test_what_nobody_caught_is_a_line_like_any_other(lines: Callable[[], str]) -> None:
    def fail() -> None:
        raise ValueError(ROW)

    thread = threading.Thread(target=fail, name="late-writer")
    thread.start()
    thread.join()
    line = json.loads(written := lines())
    assert (line["service"], line["where"], line["level"]) == ("tests", "late-writer", "error")
    assert_nothing_personal(written)
    code = (
        "from tripwire_shared.logs import configure_logging\n"
        f"configure_logging('tests', 'info', 'json')\nraise ValueError({ROW!r})"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert (json.loads(ended.stdout)["where"], ended.stderr) == ("process", "")
    assert_nothing_personal(ended.stdout)


def test_libraries_tell_nothing_at_level_debug(lines: Callable[[], str]) -> None:
    logging.getLogger("urllib3.connectionpool").debug("GET /bot1:a-token/sendMessage?q=%s", NAME)
    assert lines() == ""
    get_logger("tripwire_api.routes.requests").debug("answered")
    assert json.loads(lines())["event"] == "answered"


@given(local=st.from_regex(r"[\w.!#$%&*+/?^{|}~-]{1,64}", fullmatch=True), domain=st.sampled_from(["x.kz", "тест.kz"]))
def test_addresses_are_hidden_in_any_text(local: str, domain: str) -> None:
    last = local[-1]
    text = hidden(f"to <{local}@{domain}>, {local}%40{domain}; q={local}@{domain}")
    assert domain not in text or not last.isalnum()
    assert f"@{domain}" not in text or not last.isalnum()


def test_secrets_are_hidden_and_other_text_stays() -> None:
    token = "tsm_" + "a" * 43
    for secret in ("pa:ss", HASH, token, "gAAAAABkabcdefghijklmnop"):
        assert secret not in hidden(f"postgresql://u:pa:ss@h/d {HASH} {token} gAAAAABkabcdefghijklmnop")
    assert "pa%20ss" not in hidden("redis+sentinel://h1,h2/m?sentinel_username=u&sentinel_password=pa%20ss")
    for text in ("GET /api/admin/tripwire/users 200", "Listening at: http://[::1]:8000 (17)", "a @ b", "пишет @ тут"):
        assert hidden(text) == text
    assert loggable({"requests": 3, "late": None, "ms": 1.5}) == {"requests": 3, "late": None, "ms": 1.5}


def test_a_long_text_costs_no_square_of_its_length() -> None:
    began = time.process_time()
    hidden("a" * 100_000 + " b@c.d")
    assert time.process_time() - began < 1


def test_a_database_error_is_told_by_what_a_programmer_chose(empty_database_url: str) -> None:
    connection = psycopg2.connect(empty_database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE people (email text CONSTRAINT people_email_check CHECK (email = ''))")
        with pytest.raises(psycopg2.Error) as caught:
            cursor.execute("INSERT INTO people VALUES (%s)", (EMAIL,))
    connection.close()
    assert EMAIL in str(caught.value), "PostgreSQL does quote the row"
    assert said(caught.value) == (
        "psycopg2.errors.CheckViolation: pgcode 23514, schema public, table people, constraint people_email_check"
    )
