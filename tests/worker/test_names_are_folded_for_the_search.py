"""Rows of an earlier version, and those whose name changed, are folded by the clean-up."""

from collections.abc import Callable
from uuid import UUID

from tests.resources import Resources
from tests.worker.conftest import accept, rows
from tests.worker.old_rows import finished
from tripwire_shared.search_text import search_text
from tripwire_worker.housekeeping import Housekeeping

MANY = 4_500


def test_all_are_folded_as_new_ones_are(build: Callable[..., Resources], staff_id: UUID) -> None:
    resources = build()
    new = accept(resources, staff_id, "anna@xn--bcher-kva.example")
    finished(resources.database, staff_id, MANY, "1 hour")
    rows(resources.database, "UPDATE tripwire_users SET full_name = 'Әлия'")
    run = Housekeeping(resources.database, 7).run_once()
    assert (run.changed["requests folded"], run.changed["customers folded"]) == (MANY, MANY)
    for table in ("provisioning_requests", "tripwire_users"):
        found = rows(resources.database, f"SELECT full_name, email, search_text FROM {table}")
        assert all(row.search_text == search_text(row.full_name, row.email) for row in found)
    [row] = rows(resources.database, "SELECT search_text FROM provisioning_requests WHERE id = %s", new)
    assert row.search_text == search_text("Anna K.", "anna@xn--bcher-kva.example")


def test_those_that_somebody_holds_are_left_for_the_next_run(build: Callable[..., Resources], staff_id: UUID) -> None:
    resources = build()
    [held] = finished(resources.database, staff_id, 1, "1 hour")
    finished(resources.database, staff_id, 5, "2 hours")
    with resources.database.transaction() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM provisioning_requests WHERE id = %s FOR UPDATE", (held,))
        assert Housekeeping(resources.database, 7).run_once().changed["requests folded"] == 5
    assert Housekeeping(resources.database, 7).run_once().changed["requests folded"] == 1
