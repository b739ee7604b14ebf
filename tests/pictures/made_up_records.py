"""Made-up data for the pictures of requests, customers, staff, and a queue."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from deploy.local.data_folder import free_port
from deploy.local.valkey import ValkeyServer
from tests.admin_ui.stand_in_api import StandInApi
from tests.admin_ui.stand_in_records import TIMUR, a_customer, a_request, a_token, ago, an_entry, uid

MARA = {"id": uid(7), "email": "mara@example.com", "full_name": "Mara V."}
AWAY = {
    "attempt": 1, "of": 3, "cause": "database_unreachable",
    "text": "The database cannot be reached or does not answer.",
}  # fmt: skip
CHECKED = {"checks": ["live_request", "auth_user", "customer"]}


def step(name: str, seconds_ago: float, detail: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"step": name, "at": ago(seconds_ago), "detail": detail}


def a_bumpy_request(api: StandInApi) -> None:
    number = uid(0xA11A)
    row = a_request("anna@example.com", full_name="Anna K.", manager=MARA, attempts=2, took_seconds=3.1)
    api.state.requests.append({**row, "request_id": number, "welcome_email": "pending", "accepted_at": ago(25)})
    api.records.steps[number] = [
        step("accepted", 25.0),
        step("attempt_started", 24.8, {"attempt": 1, "of": 3, "door": "queue"}),
        step("attempt_failed", 24.56, AWAY),
        step("attempt_started", 22.55, {"attempt": 2, "of": 3, "door": "sweep"}),
        step("provisioned", 21.9, CHECKED),
        step("mail_failed", 21.3, {"try": 3, "text": "The mail server refused (451)."}),
    ]


def a_failed_request(api: StandInApi) -> None:
    number = uid(0xBE4)
    refused = {"attempt": 3, "of": 3, "cause": "database_refused", "text": "The database refused (CheckViolation)."}
    row = a_request("bek@example.org", "failed", full_name="Bek T.", attempts=3, took_seconds=None)
    api.state.requests.append({**row, "request_id": number, "accepted_at": ago(172), "finished_at": ago(163)})
    api.records.steps[number] = [
        step("accepted", 172),
        step("attempt_started", 171.8, {"attempt": 1, "of": 3, "door": "queue"}),
        step("attempt_failed", 171.4, refused),
        step("attempt_started", 169.3, {"attempt": 2, "of": 3, "door": "sweep"}),
        step("attempt_failed", 168.9, refused),
        step("attempt_started", 164.8, {"attempt": 3, "of": 3, "door": "sweep"}),
        step("failed", 163, refused),
    ]


def a_whole_customer(api: StandInApi) -> None:
    user = uid(0xC0)
    api.records.customers.append(a_customer("hana@example.com", full_name="Hana W.", user_id=user, price=7500))
    done = a_request("hana@example.com", full_name="Hana W.", user_id=user, mode="sync", took_seconds=0.3)
    api.state.requests.append({**done, "accepted_at": ago(1944)})
    api.records.activity += [
        an_entry("customer created", staff=TIMUR, user_id=user, at=ago(1944)),
        an_entry("customer status changed", user_id=user, at=ago(900), detail={"from": "inactive", "to": "active"}),
        an_entry("welcome mail resent", staff=TIMUR, user_id=user, at=ago(300)),
    ]


def two_tokens(api: StandInApi) -> None:
    api.records.tokens[TIMUR["id"]] = [a_token(id=uid(42), expires_at=ago(-5.6 * 86_400), last_used_at=ago(64))]


def a_managers_day(api: StandInApi) -> None:
    api.records.customers[:] = [
        a_customer("dmitri@example.com", full_name="Dmitri S.", created_at=ago(200)),
        a_customer("hana@example.com", full_name="Hana W.", price=7500, welcome_email="pending", created_at=ago(1944)),
        a_customer("olga@example.net", full_name="Olga R.", welcome_email="failed", created_at=ago(90_000)),
        a_customer("samir@example.com", "completed", full_name="Samir D.", created_at=ago(1_000_000)),
        a_customer("zarina@example.com", full_name="Зарина Б.", created_at=ago(1_100_000)),
    ]
    mine = ("accepted", "failed")
    api.state.requests[:] = [row for row in api.state.requests if row["manager"] == TIMUR and row["status"] in mine]


@contextmanager
def no_redis() -> Iterator[str]:
    """An address where nobody answers."""
    yield f"redis://127.0.0.1:{free_port()}/0"


@contextmanager
def a_queue() -> Iterator[str]:
    """A Valkey with waiting jobs."""
    with tempfile.TemporaryDirectory() as folder:
        server = ValkeyServer(Path(folder), free_port(), password="pictures", write_line=lambda line: None)
        server.start()
        try:
            with Redis.from_url(server.url) as redis:
                queue = Queue("requests", connection=redis, serializer=JSONSerializer)
                for number in range(5):
                    queue.enqueue_call(
                        "tripwire.provision_customer",
                        args=(uid(number),),
                        job_id=uid(0x7F3C + number),
                        description="provision customer",
                    )
            yield server.url
        finally:
            server.stop()
