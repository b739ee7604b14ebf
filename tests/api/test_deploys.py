"""The record of deploys, and the proof that leaves nothing behind."""

from collections.abc import Iterator

import psycopg2
import pytest

from tests.api.conftest import Caller
from tests.invariants import count
from tests.sales_manager import Manager
from tests.stack import Stack
from tests.waiting import wait_until
from tripwire_api.deploy import proof, record
from tripwire_api.deploy.parts import DeployParts, deploy_parts
from tripwire_api.deploy.proof import NotProved, Proof
from tripwire_shared.answers.vocabulary import DeployOutcome
from tripwire_shared.errors import NotFound

SYSTEM = "/api/admin/system"
# What a customer and staff leave behind them.
TABLES = (
    "staff", "staff_tokens", "provisioning_requests", "request_steps", "tripwire_users", "auth.users", "sales",
    "sales_activity_log", "invitations", "outbox",
)  # fmt: skip


@pytest.fixture
def parts(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeployParts]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    with deploy_parts() as parts:
        yield parts


def test_the_record_is_shown_to_admins(admin: Caller, parts: DeployParts) -> None:
    first = parts.deploys.begin("1.0", None, "ops@host")
    parts.deploys.finish(first, DeployOutcome.DONE, None)
    second = parts.deploys.begin("1.1", "1.0", "ops@host")
    assert [row["outcome"] for row in admin.get(f"{SYSTEM}/deploys").get_json()["deploys"]] == [None, "done"]
    parts.deploys.finish(second, DeployOutcome.ROLLED_BACK, "the proof failed")
    newest = admin.get(f"{SYSTEM}/deploys?limit=1").get_json()["deploys"]
    assert [(row["version"], row["previous"], row["started_by"], row["outcome"], row["reason"]) for row in newest] == [
        ("1.1", "1.0", "ops@host", "rolled_back", "the proof failed")
    ]
    assert newest[0]["seconds"] >= 0
    events = admin.get(f"{SYSTEM}/logs").get_json()["logs"]
    said = [(event["event_type"], event["message"]) for event in events]
    assert ("INFO", "Version 1.0 was deployed") in said
    assert ("WARNING", "The deploy of version 1.1 was rolled back") in said


def test_a_deploy_that_was_killed_is_abandoned_by_the_next(parts: DeployParts) -> None:
    killed = parts.deploys.begin("1.0", None, "ops")
    parts.deploys.begin("1.1", None, "ops")
    assert [deploy.outcome for deploy in parts.deploys.latest(5)] == [None, DeployOutcome.ABANDONED]
    with pytest.raises(NotFound):
        parts.deploys.finish(killed, DeployOutcome.DONE, None)


def test_a_rollback_leads_to_the_last_version_that_went_well(parts: DeployParts) -> None:
    for version, outcome in (
        ("1.0", DeployOutcome.DONE),
        ("1.1", DeployOutcome.ROLLED_BACK),
        ("1.2", DeployOutcome.DONE),
    ):
        parts.deploys.finish(parts.deploys.begin(version, None, "ops"), DeployOutcome(outcome), None)
    assert parts.deploys.version_before("1.2") == "1.0"
    assert parts.deploys.version_before("1.0") == "1.2"
    assert record.answer(parts.deploys, ["before", "1.2"]) == "1.0"


def test_the_commands_of_the_record(parts: DeployParts) -> None:
    number = record.answer(parts.deploys, ["begin", "1.0", "", "ops"])
    assert record.answer(parts.deploys, ["finish", number, "failed", "it", "broke"]) == "1.0"
    assert parts.deploys.latest(1)[0].reason == "it broke"
    for bad in ([], ["finish", "x", "done"], ["finish", "1", "well"], ["begin", "1"]):
        with pytest.raises(SystemExit):
            record.answer(parts.deploys, bad)


def rows_of(database_url: str) -> dict[str, int]:
    return {table: count(database_url, f"SELECT count(*) FROM {table}") for table in TABLES}


def test_the_proof_provisions_a_customer_and_leaves_nothing(
    stack: Stack, database_url: str, parts: DeployParts
) -> None:
    stack.start_api()
    stack.start_worker()
    # What starts writes by itself (the first admin) is there by then.
    before = rows_of(database_url)
    said = Proof(parts, stack.api_url, "tripwire.example").run()
    assert said.startswith("a test customer was answered 202, provisioned in ")
    wait_until(lambda: rows_of(database_url) == before, 5, what=f"{before}, not {rows_of(database_url)}")
    assert not list(stack.mail_folder.glob("*")), "no mail is sent to an address of nobody"


@pytest.mark.long
def test_a_long_queue_is_no_failure(
    stack: Stack, database_url: str, parts: DeployParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a worker its turn never comes: it fails where nobody else's does either."""
    monkeypatch.setattr(proof, "PROOF_LIMIT", 2.0)
    stack.start_api()
    with pytest.raises(NotProved, match="Nobody was provisioned in 2 s"):
        Proof(parts, stack.api_url, "tripwire.example").run()
    manager = Manager(stack.api_url, stack.log_in())
    manager.switch("sync_direct")
    manager.create()
    manager.switch("async_queue")
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE provisioning_requests SET finished_at = now() + interval '10 s'"
        )  # while the proof waits
    before = rows_of(database_url)
    assert "the queue is long" in Proof(parts, stack.api_url, "tripwire.example").run()
    assert rows_of(database_url) == before


def test_a_proof_that_fails_says_why_and_leaves_nothing(stack: Stack, database_url: str, parts: DeployParts) -> None:
    stack.start_api()
    before = rows_of(database_url)
    with pytest.raises(NotProved, match="answered 404"):
        Proof(parts, f"{stack.api_url}/elsewhere", "tripwire.example").run()
    assert rows_of(database_url) == before
    assert proof.main(["http://127.0.0.1:9", "tripwire.example"]) == 1


def test_what_a_killed_proof_left_is_removed_by_the_next(stack: Stack, database_url: str, parts: DeployParts) -> None:
    stack.start_api()
    stack.start_worker()
    before = rows_of(database_url)
    killed = Proof(parts, stack.api_url, "tripwire.example")
    killed.erase = lambda: None  # type: ignore[method-assign]
    killed.run()
    assert rows_of(database_url) != before
    Proof(parts, stack.api_url, "tripwire.example").run()
    wait_until(lambda: rows_of(database_url) == before, 5)
