"""However many messages were sent, what waits is counted without reading them: System Health asks every few seconds."""

import contextlib
from collections.abc import Callable

import psycopg2

from tests.resources import Resources
from tests.shared.rows import rows
from tripwire_shared.outbox import outbox
from tripwire_shared.postgres.sql import load_queries

FILL = """
INSERT INTO outbox (channel, status, user_id, request_id, finished_at)
SELECT 'mail', 'sent', gen_random_uuid(), gen_random_uuid(), now() FROM generate_series(1, 20000);
INSERT INTO outbox (channel, status, finished_at) SELECT 'alert', 'sent', now() FROM generate_series(1, 20000);
INSERT INTO outbox (channel, status, user_id, request_id)
SELECT 'mail', 'pending', gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 30);
INSERT INTO outbox (channel, status) SELECT 'alert', 'pending' FROM generate_series(1, 5);"""


def test_no_plan_has_a_scan(database_url: str) -> None:
    psycopg2.extensions.set_wait_callback(None)  # a limit that another test has set is not for filling tables
    with contextlib.closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute(FILL + "ANALYZE outbox")
        cursor.execute(f"EXPLAIN {load_queries(outbox.__file__).waiting.sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan" not in plan, plan
    for index in ("mails_due", "alerts_pending", "outbox_failing"):
        assert index in plan, plan


def test_what_waits_is_told_by_channel_and_whether_any_of_it_was_refused(
    resources_for: Callable[..., Resources],
) -> None:
    resources = resources_for()
    rows(resources.database, FILL)
    waiting = resources.outbox.waiting()
    assert (waiting.mails, waiting.alerts, waiting.mail_failing, waiting.alerts_failing) == (30, 5, False, False)
    for channel, failing in (("mail", (True, False)), ("alert", (True, True))):
        rows(resources.database, "UPDATE outbox SET failing_since = now(), last_error = 'no' WHERE id = (SELECT id"
                                 " FROM outbox WHERE channel = %s AND status = 'pending' LIMIT 1)",
                                 channel)  # fmt: skip
        waiting = resources.outbox.waiting()
        assert (waiting.mail_failing, waiting.alerts_failing) == failing
