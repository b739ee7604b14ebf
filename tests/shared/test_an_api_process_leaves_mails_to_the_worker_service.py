"""An API process has requests to answer: it sends at once what it caused itself, and others' mails only when late."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.resources import Resources
from tests.shared.rows import messages, provisioned, rows
from tests.waiting import wait_until
from tripwire_shared.timings import MAIL_PATIENCE_IN_API

TOOK = "SELECT extract(epoch FROM finished_at - created_at)::float8 AS seconds FROM outbox"


@pytest.fixture(autouse=True)
def own_mail_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def seconds_until_sent(resources: Resources) -> float:
    wait_until(lambda: [row.status for row in messages(resources.database, "mail")] == ["sent"], 5)
    return float(rows(resources.database, TOOK)[0].seconds)


def test_others_mails_only_when_nobody_else_sent_them(resources_for: Callable[..., Resources]) -> None:
    api, worker = resources_for("api"), resources_for("worker")
    api.mails.start()
    provisioned(worker)
    assert seconds_until_sent(api) >= MAIL_PATIENCE_IN_API


def test_its_own_at_once(resources_for: Callable[..., Resources]) -> None:
    api = resources_for("api")
    api.mails.start()
    provisioned(api)
    api.mail_put_in.set()  # as provisioning does after its commit
    assert seconds_until_sent(api) < MAIL_PATIENCE_IN_API


def test_the_sweep_process_sends_everybodys_at_once(resources_for: Callable[..., Resources]) -> None:
    sweep, worker = resources_for("sweep"), resources_for("worker")
    sweep.mails.start()
    provisioned(worker)
    assert seconds_until_sent(sweep) < MAIL_PATIENCE_IN_API
