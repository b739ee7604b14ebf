"""An API process has requests to answer: it sends at once what it caused itself, and others' mails only when late."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.resources import Resources
from tests.shared.rows import mail_states, messages, provisioned, rows, waiting_mails
from tests.waiting import wait_until
from tripwire_shared.outbox.deliverer import OWN_AT_ONCE
from tripwire_shared.outbox.outbox import Channel
from tripwire_shared.timings import MAIL_LONG_PATIENCE_IN_API, MAIL_PATIENCE_IN_API

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
    api.wakeups.start()
    provisioned(worker)
    assert seconds_until_sent(api) >= MAIL_PATIENCE_IN_API


def test_its_own_at_once(resources_for: Callable[..., Resources]) -> None:
    api = resources_for("api")
    api.mails.start()
    provisioned(api)
    api.own_mail.ring()  # as provisioning does after its commit
    assert seconds_until_sent(api) < MAIL_PATIENCE_IN_API


def test_the_sweep_process_sends_everybodys_at_once(resources_for: Callable[..., Resources]) -> None:
    sweep, worker = resources_for("sweep"), resources_for("worker")
    sweep.mails.start()
    sweep.wakeups.start()
    provisioned(worker)
    assert seconds_until_sent(sweep) < MAIL_PATIENCE_IN_API


def test_a_backlog_at_which_somebody_is_is_left_to_them(resources_for: Callable[..., Resources]) -> None:
    """While thousands of mails go out, all of them are late."""
    api = resources_for("api")
    outbox = api.outbox
    waiting_mails(api, 3)
    due_since(api, seconds=3)
    [sent, *late] = outbox.lease(Channel.MAIL, at_most=3, patience=MAIL_PATIENCE_IN_API).messages
    assert len(late) == 2, "nobody sends"
    outbox.mark_sent([sent])
    due_since(api, seconds=3)
    assert outbox.lease(Channel.MAIL, at_most=3, patience=MAIL_PATIENCE_IN_API).messages == [], "somebody does"
    due_since(api, seconds=MAIL_LONG_PATIENCE_IN_API + 1)
    found = outbox.lease(Channel.MAIL, at_most=3, patience=MAIL_PATIENCE_IN_API).messages
    assert len(found) == 2, "somebody does not keep up"


def test_its_own_does_not_wait_behind_a_backlog(resources_for: Callable[..., Resources]) -> None:
    api = resources_for("api")
    waiting_mails(api, 60)
    due_since(api, seconds=3)
    # As if somebody were at the backlog for as long as this test takes.
    rows(api.database, "UPDATE outbox SET status = 'sent', finished_at = now() + interval '1 h' WHERE id = 1")
    own = provisioned(api)
    api.own_mail.ring()
    api.mails.start()
    sent = "SELECT 1 FROM outbox WHERE status = 'sent' AND user_id = %s"
    wait_until(lambda: rows(api.database, sent, own.user_id), MAIL_PATIENCE_IN_API)
    time.sleep(3 * MAIL_PATIENCE_IN_API)  # some more looks
    assert mail_states(api.database)["sent"] <= 1 + OWN_AT_ONCE, "it takes few of the others along"


def due_since(resources: Resources, *, seconds: float) -> None:
    rows(resources.database, "UPDATE outbox SET due_at = now() - make_interval(secs => %s) WHERE status = 'pending'",
         seconds)  # fmt: skip
