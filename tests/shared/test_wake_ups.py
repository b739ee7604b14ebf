"""What one process puts in is told to those that wait for it, in milliseconds; what was told to nobody is found."""

import threading
import time
from collections.abc import Callable
from uuid import UUID, uuid4

import psycopg2
import pytest

from deploy.local.data_folder import free_port
from tests.attempts import attempt
from tests.resources import Resources
from tests.shared.delivering import delivering, listening, put_mail
from tests.shared.rows import provisioned, rows
from tests.telegram_server import TelegramServer
from tests.waiting import wait_until
from tripwire_shared.answers.vocabulary import Door, RequestMode
from tripwire_shared.events.causes import QUEUE
from tripwire_shared.outbox import deliverer
from tripwire_shared.postgres.database import DatabaseUnavailable, within
from tripwire_shared.postgres.wakeups import WakeUp
from tripwire_shared.provisioning.provision import Outcome
from tripwire_shared.requests.request import NewCustomer
from tripwire_shared.requests.request_store import NewRequest
from tripwire_shared.timings import DELIVERY_POLL, SILENCE_AFTER


def test_what_was_told_while_the_connection_was_away_is_found_when_it_is_back(
    resources_for: Callable[..., Resources], database_url: str
) -> None:
    elsewhere = resources_for("worker")
    with delivering(resources_for("sweep"), database_url) as delivered:
        backend = listening(elsewhere)
        own = provisioned(elsewhere)
        wait_until(lambda: own.request_id in delivered.at, 5)
        with elsewhere.database.transaction() as connection:
            with connection.cursor() as cursor:  # waits for its end: nobody is there to hear of the mail
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,))
            elsewhere.outbox.put_mail(
                connection, user_id=own.user_id, request_id=own.request_id, invitation_id=own.invitation_id
            )
        put_at = time.monotonic()
        wait_until(lambda: delivered.at[own.request_id] >= put_at, 3)
        assert listening(elsewhere) != backend


def test_what_was_told_to_nobody_is_found_by_the_slow_poll(
    resources_for: Callable[..., Resources], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 10 <= DELIVERY_POLL <= 30
    monkeypatch.setattr(deliverer, "DELIVERY_POLL", 0.5)
    elsewhere = resources_for("worker")
    with delivering(resources_for("sweep")) as delivered:
        time.sleep(0.2)  # its first look is over
        request_id = put_mail(elsewhere)
        wait_until(lambda: request_id in delivered.at, 2)


def test_an_alert_of_a_process_without_a_deliverer_is_out_within_a_second(
    resources_for: Callable[..., Resources], telegram_server: TelegramServer, to_telegram: dict[str, str]
) -> None:
    sweep, worker = resources_for("sweep", **to_telegram), resources_for("worker")
    sweep.alerts.start()
    sweep.wakeups.start()
    listening(worker)
    worker.writer.start()
    began = time.monotonic()
    worker.incidents.failed_soon(QUEUE, "ConnectionError")
    wait_until(lambda: telegram_server.texts(QUEUE.opened), 5)
    assert time.monotonic() - began < 1.0


def test_where_nobody_can_listen_everybody_looks(
    resources_for: Callable[..., Resources], telegram_server: TelegramServer, to_telegram: dict[str, str]
) -> None:
    nowhere = f"postgresql://app:secret@127.0.0.1:{free_port()}/app"
    sweep = resources_for("sweep", database_listen_url=nowhere, **to_telegram)
    sweep.alerts.start()
    sweep.wakeups.start()
    time.sleep(0.5)
    began = time.monotonic()
    sweep.incidents.failed(QUEUE, "ConnectionError")
    wait_until(lambda: telegram_server.texts(QUEUE.opened), 5)
    assert time.monotonic() - began < 1.0


class Ear:
    """A session that hears all channels."""

    def __init__(self, url: str) -> None:
        limit = psycopg2.extensions.get_wait_callback()
        psycopg2.extensions.set_wait_callback(None)
        self._connection = psycopg2.connect(url)
        self._connection.autocommit = True
        self._cursor = self._connection.cursor()
        self._cursor.execute("".join(f"LISTEN {channel};" for channel in WakeUp))
        psycopg2.extensions.set_wait_callback(limit)

    def heard(self) -> list[tuple[str, str]]:
        self._cursor.execute("SELECT 1")
        self._connection.poll()
        heard = [(notify.channel, notify.payload) for notify in self._connection.notifies]
        self._connection.notifies.clear()
        return sorted(heard)


@pytest.fixture
def ear(database_url: str) -> Ear:
    return Ear(database_url)


def accept(resources: Resources, staff_id: UUID, mode: RequestMode = RequestMode.ASYNC) -> UUID:
    new = NewRequest(
        uuid4(),
        NewCustomer(f"{uuid4()}@example.com", "Anna K.", None, 5000, "KZT"),
        None,
        staff_id,
        mode,
        None,
        None,
        None,
    )
    assert resources.requests.accept([new])
    return new.id


@pytest.fixture
def staff_id(resources_for: Callable[..., Resources]) -> UUID:
    staff_id = uuid4()
    rows(resources_for().database, "INSERT INTO staff (id, email, full_name, role) VALUES (%s, 'd@example.com', 'Dana',"
                                   " 'sales')", staff_id)  # fmt: skip
    return staff_id


def test_a_set_is_told_once_and_an_accept_never(
    resources_for: Callable[..., Resources], ear: Ear, staff_id: UUID
) -> None:
    worker = resources_for("worker")
    requests = [accept(worker, staff_id) for _ in range(50)]
    assert ear.heard() == []
    made = worker.provisioning.provision_new(requests, Door.QUEUE)
    assert {one.outcome for one in made} == {Outcome.PROVISIONED}
    (channel, payload), mails = ear.heard()
    assert channel == WakeUp.FINISHED
    assert {UUID(part) for part in payload.split(",")} == set(requests)
    assert mails == (WakeUp.MAILS, "")


def test_what_the_api_creates_itself_is_told_to_its_own_deliverer_alone(
    resources_for: Callable[..., Resources], ear: Ear, staff_id: UUID
) -> None:
    api = resources_for("api")
    request_id = accept(api, staff_id, RequestMode.SYNC)
    assert attempt(api, request_id, Door.DIRECT) is Outcome.PROVISIONED
    assert ear.heard() == []
    assert api.own_mail.sleep(0) is not None


def test_a_failed_attempt_wakes_the_sweep_and_the_last_one_those_who_wait(
    resources_for: Callable[..., Resources], ear: Ear, staff_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = resources_for("worker", job_max_attempts=2, job_backoff_seconds=0)
    request_id = accept(worker, staff_id)

    def refuse(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setattr(worker.provisioning._customers, "provision", refuse)
    assert attempt(worker, request_id) is Outcome.TRY_AGAIN
    assert ear.heard() == [(WakeUp.DUE, "")]
    claims = worker.claims.claim_due(1, door=Door.SWEEP)
    assert worker.provisioning.provision(claims, Door.SWEEP)[0].outcome is Outcome.FAILED
    assert ear.heard() == [(WakeUp.ALERTS, ""), (WakeUp.FINISHED, str(request_id))]
    assert worker.requests.retry_all([request_id], staff_id) == 1
    assert ear.heard() == [(WakeUp.DUE, "")]


def test_one_slow_statement_in_a_quiet_process_is_no_silence(resources_for: Callable[..., Resources]) -> None:
    """Nobody asks anything meanwhile but the listener, because of this very wait."""
    api = resources_for("api")
    api.wakeups.start()
    wait_until(api.mode_store.receipts, 5)
    with pytest.raises(DatabaseUnavailable), within(SILENCE_AFTER + 0.2):
        rows(api.database, "SELECT pg_sleep(3)")
    with within(1):
        assert rows(api.database, "SELECT 1 AS one")[0].one == 1


class _Held:
    def __init__(self) -> None:
        self.begun, self.released = threading.Event(), threading.Event()

    def write(self) -> None:
        self.begun.set()
        self.released.wait(10)

    def say_without_database(self) -> None:
        return


def test_an_incident_does_not_wait_behind_other_late_writes(resources_for: Callable[..., Resources]) -> None:
    resources, held = resources_for("worker"), _Held()
    resources.writer.submit(held)
    resources.writer.start()
    assert held.begun.wait(5)
    resources.incidents.failed_soon(QUEUE, "ConnectionError")
    wait_until(resources.incidents.open_now, 2)
    held.released.set()
