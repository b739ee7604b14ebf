"""Each promise about "never two" is a constraint: whatever the code does, the database refuses a second row."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg2 import errors

from tests.resources import Resources
from tests.shared.rows import Provisioned, provisioned, rows
from tripwire_shared.postgres.database import Database

EMAIL = "anna@example.com"


@pytest.fixture
def database(resources_for: Callable[..., Resources]) -> Database:
    return resources_for().database


@pytest.fixture
def staff_id(database: Database) -> UUID:
    staff_id = uuid4()
    rows(
        database, "INSERT INTO staff (id, email, full_name, role) VALUES (%s, 'd@example.com', 'D', 'sales')", staff_id
    )
    return staff_id


def insert(database: Database, table: str, **columns: Any) -> None:
    places = ", ".join(["%s"] * len(columns))
    rows(database, f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", *columns.values())


def request(database: Database, staff_id: UUID, email: str = EMAIL, **columns: Any) -> UUID:
    request_id = uuid4()
    values = {"id": request_id, "email": email, "full_name": "Anna", "price": 1, "currency": "KZT", "mode": "async"}
    insert(database, "provisioning_requests", **values, staff_id=staff_id, due_at="now", **columns)
    return request_id


FINISHED = {"finished_at": "now"}
PROVISIONED = {"status": "provisioned", "user_id": str(uuid4()), **FINISHED}


@pytest.mark.parametrize("first", [{}, PROVISIONED], ids=["accepted", "provisioned"])
@pytest.mark.parametrize("second", [{}, PROVISIONED], ids=["accepted", "provisioned"])
def test_one_live_request_per_email(
    database: Database, staff_id: UUID, first: dict[str, Any], second: dict[str, Any]
) -> None:
    request(database, staff_id, **first)
    with pytest.raises(errors.UniqueViolation, match="one_live_request_per_email"):
        request(database, staff_id, **second)


@pytest.mark.parametrize("over", ["failed", "duplicate"])
def test_a_request_that_is_over_frees_its_email(database: Database, staff_id: UUID, over: str) -> None:
    request(database, staff_id, status=over, **FINISHED)
    request(database, staff_id)


def test_one_request_per_caller_and_key(database: Database, staff_id: UUID) -> None:
    request(database, staff_id, "a@example.com", idempotency_key="k")
    with pytest.raises(errors.UniqueViolation, match="one_request_per_key"):
        request(database, staff_id, "b@example.com", idempotency_key="k", status="failed", **FINISHED)
    other_caller = uuid4()
    insert(database, "staff", id=other_caller, email="e@example.com", full_name="E", role="sales")
    request(database, other_caller, "c@example.com", idempotency_key="k")


@pytest.fixture
def anna(resources_for: Callable[..., Resources], staff_id: UUID) -> Provisioned:
    """A customer as provisioning leaves her, without a sale yet."""
    return provisioned(resources_for(), EMAIL)


def customer(staff_id: UUID, request_id: UUID, **columns: Any) -> dict[str, Any]:
    values = {"id": uuid4(), "user_id": uuid4(), "request_id": request_id, "email": f"{uuid4().hex}@example.com"}
    return {**values, "full_name": "Anna", "granted_by": staff_id, **columns}


def test_one_customer_per_auth_user_email_and_request(database: Database, staff_id: UUID, anna: Provisioned) -> None:
    another = request(database, staff_id, "other@example.com")
    for same in ({"user_id": anna.user_id}, {"email": EMAIL}, {"request_id": anna.request_id}):
        with pytest.raises(errors.UniqueViolation, match=f"tripwire_users_{next(iter(same))}_key"):
            insert(database, "tripwire_users", **{**customer(staff_id, another), **same})


def test_an_email_is_kept_in_lower_case_so_that_it_is_one(database: Database, staff_id: UUID) -> None:
    with pytest.raises(errors.CheckViolation):
        request(database, staff_id, "Anna@Example.com")
    with pytest.raises(errors.CheckViolation):
        insert(database, "tripwire_users", **customer(staff_id, request(database, staff_id), email="Anna@Example.com"))


def test_one_auth_user_per_email(database: Database, anna: Provisioned) -> None:
    with pytest.raises(errors.UniqueViolation, match="users_email_partial_key"):
        insert(database, "auth.users", id=uuid4(), email=EMAIL)
    insert(database, "auth.users", id=uuid4(), email=EMAIL, is_sso_user=True)  # as Supabase has it


def test_one_sale_per_request_and_customer(database: Database, staff_id: UUID, anna: Provisioned) -> None:
    def sale(request_id: UUID, user_id: UUID) -> None:
        about = {"request_id": request_id, "user_id": user_id, "manager_id": staff_id}
        insert(database, "sales", id=uuid4(), amount=1, currency="KZT", **about)

    sale(anna.request_id, anna.user_id)
    other = customer(staff_id, request(database, staff_id, "other@example.com"))
    insert(database, "tripwire_users", **other)
    with pytest.raises(errors.UniqueViolation, match="sales_request_id_key"):
        sale(anna.request_id, other["user_id"])
    with pytest.raises(errors.UniqueViolation, match="sales_user_id_key"):
        sale(other["request_id"], anna.user_id)
    with pytest.raises(errors.ForeignKeyViolation):
        sale(other["request_id"], uuid4())  # no sale without its customer


def test_a_finished_request_says_when_and_for_whom_and_holds_no_password(database: Database, staff_id: UUID) -> None:
    for broken in (
        {"status": "failed"},
        {"finished_at": "now"},
        {"status": "provisioned", **FINISHED},
        {**PROVISIONED, "sealed_password": "x"},
        {"status": "duplicate", "sealed_password": "x", **FINISHED},
    ):
        with pytest.raises(errors.CheckViolation):
            request(database, staff_id, **broken)


def test_one_open_incident_per_cause(database: Database) -> None:
    insert(database, "incidents", cause="queue unavailable", resolved_at="now")
    insert(database, "incidents", cause="queue unavailable")
    with pytest.raises(errors.UniqueViolation, match="one_open_incident_per_cause"):
        insert(database, "incidents", cause="queue unavailable")


def test_the_pace_is_one_row(database: Database) -> None:
    with pytest.raises(errors.UniqueViolation):
        insert(database, "worker_pace", last_slot="now")
    with pytest.raises(errors.CheckViolation):
        insert(database, "worker_pace", last_slot="now", only_row=False)


def test_the_mode_is_one_of_two_words(database: Database) -> None:
    with pytest.raises(errors.CheckViolation, match="traffic_mode_is_known"):
        rows(database, "UPDATE system_config SET value = 'off' WHERE key = 'traffic_mode'")
