"""A given password is in no Redis value, table, log, mail, alert or answer: not while it waits, not afterwards."""

import re
import zlib
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import psycopg2
import pytest
import requests
from psycopg2 import sql
from redis import Redis

from deploy.local.valkey import ValkeyServer
from tests.sales_manager import Manager, new_email
from tests.stack import ADMIN_PASSWORD, Stack
from tests.telegram_server import TelegramServer
from tests.waiting import wait_until

PASSWORD = "given-by-the-manager"
CHOSEN = "chosen-by-the-customer"
NAME = "Anastasia Password-Test"


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    server = TelegramServer()
    yield server
    server.stop()


def everything_in_redis(url: str) -> bytes:
    """All keys and values; what RQ compresses, unpacked."""
    found = b""
    with Redis.from_url(url) as redis:
        for key in redis.scan_iter("*"):
            values: dict[bytes, Any] = {
                b"hash": lambda key=key: [part for pair in redis.hgetall(key).items() for part in pair],
                b"list": lambda key=key: redis.lrange(key, 0, -1),
                b"set": lambda key=key: redis.smembers(key),
                b"zset": lambda key=key: redis.zrange(key, 0, -1),
                b"string": lambda key=key: [redis.get(key) or b""],
                b"stream": lambda key=key: [repr(entry).encode() for entry in redis.xrange(key)],
            }
            found += b"\n".join([b"", key, *map(_unpacked, values[redis.type(key)]())])
    return found


def _unpacked(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


def everything_in_tables(url: str) -> str:
    found = ""
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'auth')")
        for table in cursor.fetchall():
            cursor.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(*table)))
            found += "\n".join(row[0] for row in cursor.fetchall())
    connection.close()
    return found


def link_in(stack: Stack) -> str | None:
    """The path of the one-time link in a mail that holds one."""
    for path in stack.mail_folder.glob("*.eml"):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        if found := re.search(r"/invitations/\S+", mail.get_body(("plain",)).get_content()):
            return found.group()
    return None


def test_by_every_way_a_request_can_go(
    stack: Stack, own_valkey: ValkeyServer, telegram: TelegramServer, capfd: pytest.CaptureFixture[str]
) -> None:
    stack.environ |= {"REDIS_URL": own_valkey.url, "LOG_LEVEL": "debug", **telegram.variables}
    stack.start_api()
    manager, answers = Manager(stack.api_url, stack.log_in()), []
    database_url, waiting = stack.environ["DATABASE_URL"], new_email()

    def create(email: str, **fields: Any) -> requests.Response:
        answer = manager.create(email, **{"full_name": NAME, "password": PASSWORD, "key": email, **fields})
        answers.append(answer.text + str(answer.headers))
        return answer

    def assert_nowhere(*secrets: str) -> None:
        places = {
            "Redis": everything_in_redis(own_valkey.url).decode(errors="replace"),
            "tables": everything_in_tables(database_url),
            "logs": capfd.readouterr().out,
            "alerts": "".join(message.text for message in telegram.messages),
            "answers": "".join(answers),
            "mails": "".join(path.read_text() for path in stack.mail_folder.glob("*.eml")),
        }
        for place, text in places.items():
            for secret in secrets:
                assert secret not in text, place

    assert create(waiting).status_code == 202
    assert create(waiting).headers["Idempotent-Replayed"] == "true"
    assert create(waiting, price=1).status_code == 422
    assert create(new_email(), price=-1).status_code == 422
    assert create(waiting, key="other").status_code == 409
    in_redis = everything_in_redis(own_valkey.url).decode(errors="replace")
    for word in (waiting, waiting.partition("@")[0], NAME, manager.token):
        assert word not in in_redis
    assert_nowhere(PASSWORD, ADMIN_PASSWORD, manager.token)

    manager.switch("sync_direct")
    assert create(new_email()).status_code == 201
    manager.switch("async_queue")
    own_valkey.stop()
    assert create(new_email()).json()["fallback"] is True
    own_valkey.start()
    stack.start_worker()
    manager.wait_for(
        manager.call("GET", f"/api/admin/tripwire/requests?q={waiting}").json()["requests"][0]["request_id"],
        "provisioned",
        20,
    )
    wait_until(lambda: len(list(stack.mail_folder.glob("*.eml"))) == 3, 20)
    wait_until(lambda: telegram.texts("Redis queue failed"), 10)
    assert_nowhere(PASSWORD, ADMIN_PASSWORD, manager.token)

    manager.create(full_name=NAME)
    link = wait_until(lambda: link_in(stack), 10)
    assert (
        requests.post(stack.api_url + link, data={"password": CHOSEN, "password_again": CHOSEN}, timeout=10).status_code
        == 200
    )
    assert_nowhere(PASSWORD, CHOSEN)
    assert link.rpartition(".")[2] not in everything_in_tables(database_url)
    assert "argon2id" in everything_in_tables(database_url), "this scan does see what is in the tables"
