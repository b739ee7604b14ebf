"""Erasing: e-mail, name and password are gone from every table, the sale and the figures stay, the address is free."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.api.conftest import CREATE as USERS
from tests.api.conftest import ApiUnderTest, Caller, assert_problem, sell, sql
from tests.attempts import attempt
from tests.identity_server import IdentityServer
from tests.invariants import assert_nothing_broken
from tripwire_shared.answers.vocabulary import EventType, Mode, Role
from tripwire_shared.events.event import Event
from tripwire_shared.provisioning.provision import Outcome

pytestmark = pytest.mark.usefixtures("direct")
TRACES = ("secret.person", "Secret Person")


def sell_to_secret(manager: Caller, **fields: str) -> str:
    key = {"Idempotency-Key": "sale-to-secret.person"}
    body = {"email": "secret.person@example.com", "full_name": "Secret Person", **fields}
    answer = manager.post(USERS, json=body, headers=key)
    assert answer.status_code == 201
    return str(answer.get_json()["user_id"])


def everything_stored(api: ApiUnderTest) -> str:
    tables = sql(
        api,
        "SELECT format('%%I.%%I', table_schema, table_name) AS name FROM information_schema.tables"
        " WHERE table_type = 'BASE TABLE' AND table_schema IN ('public', 'auth')",
    )
    assert len(tables) > 12
    return "\n".join(str(sql(api, f"SELECT * FROM {table.name}")) for table in tables)


def rival(api: ApiUnderTest, email: str, status: str) -> str:
    """Another request for the same address, that ended as `status`."""
    request_id = str(uuid4())
    sql(
        api,
        "INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, status, mode, due_at,"
        " finished_at, sealed_password) SELECT %s, %s, 'Secret Person', 1, 'KZT', id, %s, 'async', now(), now(), %s"
        " FROM staff LIMIT 1",
        request_id, email, status, "sealed" if status == "failed" else None,
    )  # fmt: skip
    if status == "failed":
        api.resources.health_log.write(
            Event(EventType.CRITICAL, "failed", {"request_id": request_id}), at=None, alert=True
        )
    return request_id


def test_no_table_knows_the_person_any_more(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    user_id = sell_to_secret(manager)
    failed, late = (rival(api, "secret.person@example.com", status) for status in ("failed", "duplicate"))
    before = everything_stored(api)
    assert all(trace in before for trace in (*TRACES, "sealed"))

    assert admin.ask("DELETE", f"{USERS}/{user_id}").status_code == 204

    after = everything_stored(api)
    for trace in (*TRACES, "'sealed'"):
        assert trace not in after
    shown = admin.get(f"{USERS}/{user_id}").get_json()
    assert (shown["erased"], shown["full_name"], shown["status"]) == (True, "Erased", "inactive")
    assert shown["email"] == f"erased-{user_id}@erased.invalid"
    assert {one["request_id"] for one in shown["requests"]} == {shown["request_id"], failed, late}
    [user] = sql(api, "SELECT encrypted_password, raw_user_meta_data FROM auth.users")
    assert (user.encrypted_password, user.raw_user_meta_data) == (None, {})
    assert_nothing_broken(api.resources.settings.database_url)


def test_the_sale_stays(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    user_id = sell_to_secret(manager)
    before = sql(api, "SELECT * FROM sales")
    admin.ask("DELETE", f"{USERS}/{user_id}")
    assert sql(api, "SELECT * FROM sales") == before
    stats = admin.get("/api/admin/tripwire/stats").get_json()
    assert (stats["total_customers"], stats["total_revenue"], stats["active"], stats["inactive"]) == (1, 5000, 0, 1)


def test_the_address_is_free_again(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    first = sell_to_secret(manager)
    assert_problem(manager.post(USERS, json={"email": "secret.person@example.com", "full_name": "S"}), 409)
    admin.ask("DELETE", f"{USERS}/{first}")
    second = sell_to_secret(manager)
    assert second != first
    assert manager.get(f"{USERS}/{second}").get_json()["email"] == "secret.person@example.com"
    assert admin.get(USERS).get_json()["total"] == 2
    admin.ask("DELETE", f"{USERS}/{second}")
    assert not any(trace in everything_stored(api) for trace in TRACES)
    assert_nothing_broken(api.resources.settings.database_url)


def test_a_second_time_changes_nothing(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    user_id = sell_to_secret(manager)
    assert [admin.ask("DELETE", f"{USERS}/{user_id}").status_code for _ in range(2)] == [204, 204]
    entries = sql(api, "SELECT * FROM sales_activity_log WHERE action = 'customer erased'")
    assert [(str(entry.staff_id), str(entry.user_id)) for entry in entries] == [(admin.id, user_id)]


def test_many_at_once_erase_once(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    user_id = sell_to_secret(manager)
    with ThreadPoolExecutor(6) as pool:
        calls = [lambda: admin.ask("DELETE", f"{USERS}/{user_id}").status_code] * 6
        calls += [lambda: manager.post(f"{USERS}/{user_id}/resend-welcome").status_code] * 6
        statuses = list(pool.map(lambda call: call(), calls))
    assert statuses[:6] == [204] * 6
    assert set(statuses[6:]) <= {202, 409}
    assert len(sql(api, "SELECT 1 FROM sales_activity_log WHERE action = 'customer erased'")) == 1
    assert sql(api, "SELECT 1 FROM outbox WHERE channel = 'mail' AND status = 'pending'") == []
    assert sql(api, "SELECT 1 FROM invitations WHERE used_at IS NULL AND revoked_at IS NULL") == []
    assert_nothing_broken(api.resources.settings.database_url)


def test_link_and_waiting_mail_die_with_it(
    api_for: Callable[..., ApiUnderTest], api: ApiUnderTest, admin: Caller
) -> None:
    away = api_for(smtp_url="smtp://127.0.0.1:1")
    seller = away.member("second@example.com")
    user_id = sell_to_secret(seller)
    [invitation] = sql(away, "SELECT id FROM invitations")
    link = away.resources.invitations.link(invitation.id)
    path = link[link.index("/invitations/") :]
    assert admin.ask("DELETE", f"{USERS}/{user_id}").status_code == 204
    assert admin.client.get(path).status_code == 410
    assert admin.client.post(path, data={"password": "12345678", "password_again": "12345678"}).status_code == 410
    assert [row.status for row in sql(away, "SELECT status FROM outbox WHERE channel = 'mail'")] == ["failed"]


def test_nothing_can_be_done_with_it_any_more(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    user_id = sell_to_secret(manager)
    failed = rival(api, "secret.person@example.com", "failed")
    admin.ask("DELETE", f"{USERS}/{user_id}")
    assert_problem(manager.post(f"{USERS}/{user_id}/resend-welcome"), 409)
    assert_problem(manager.ask("PATCH", f"{USERS}/{user_id}", json={"status": "active"}), 409)
    # A failed request for the same person must not come back as a customer without a name.
    assert_problem(admin.post(f"/api/admin/tripwire/requests/{failed}/retry"), 409)


def test_what_had_become_of_the_customer_stays_true(manager: Caller, admin: Caller) -> None:
    user_id = sell_to_secret(manager)
    manager.ask("PATCH", f"{USERS}/{user_id}", json={"status": "completed"})
    admin.ask("DELETE", f"{USERS}/{user_id}")
    assert admin.get(f"{USERS}/{user_id}").get_json()["status"] == "completed"


def test_a_manager_may_not(manager: Caller) -> None:
    user_id = sell_to_secret(manager)
    assert_problem(manager.ask("DELETE", f"{USERS}/{user_id}"), 403)
    assert manager.get(f"{USERS}/{user_id}").get_json()["erased"] is False


@pytest.fixture
def identity_server(database_url: str) -> Iterator[IdentityServer]:
    server = IdentityServer(database_url)
    yield server
    server.stop()


@pytest.fixture
def on_supabase(api_for: Callable[..., ApiUnderTest], identity_server: IdentityServer) -> ApiUnderTest:
    api = api_for(**identity_server.settings)
    store = api.resources.mode_store
    store.switch(Mode.SYNC_DIRECT, reason=None, changed_by="a test", staff_id=None, expected_version=None)
    return api


def test_the_identity_provider_erases_first(on_supabase: ApiUnderTest, identity_server: IdentityServer) -> None:
    admin = on_supabase.member("second-boss@example.com", Role.ADMIN)
    user_id = sell_to_secret(admin)

    identity_server.refuse_with = 500
    assert_problem(admin.ask("DELETE", f"{USERS}/{user_id}"), 503)
    assert admin.get(f"{USERS}/{user_id}").get_json()["email"] == "secret.person@example.com", "nothing half"

    identity_server.refuse_with = None
    assert admin.ask("DELETE", f"{USERS}/{user_id}").status_code == 204
    [update] = identity_server.updates
    assert update["id"] == user_id
    assert update["email"] == f"erased-{user_id}@erased.invalid"
    assert update["user_metadata"] == {"full_name": None}
    assert len(update["password"]) > 30
    assert not any(trace in everything_stored(on_supabase) for trace in TRACES)


def test_whom_the_identity_provider_no_longer_has_is_erased_here(
    on_supabase: ApiUnderTest, identity_server: IdentityServer
) -> None:
    admin = on_supabase.member("second-boss@example.com", Role.ADMIN)
    user_id = sell_to_secret(admin)
    identity_server.refuse_with = 404
    assert admin.ask("DELETE", f"{USERS}/{user_id}").status_code == 204
    assert not any(trace in everything_stored(on_supabase) for trace in TRACES)


def test_who_comes_in_while_it_is_erased_is_new_or_refused(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    """The same address again and again while its customer is erased: never two, never half."""
    for round_number in range(5):
        email = f"c{round_number}@example.com"
        user_id = sell(manager, email)["user_id"]
        with ThreadPoolExecutor(5) as pool:
            erased = pool.submit(admin.ask, "DELETE", f"{USERS}/{user_id}")
            body = {"email": email, "full_name": "Again"}
            again = [pool.submit(manager.post, USERS, json=body) for _ in range(8)]
        assert erased.result().status_code == 204
        statuses = [answer.result().status_code for answer in again]
        assert set(statuses) <= {201, 202, 409}
        assert sum(status != 409 for status in statuses) <= 1
    for row in sql(api, "SELECT id FROM provisioning_requests WHERE status = 'accepted'"):
        assert attempt(api.resources, row.id) in (Outcome.PROVISIONED, Outcome.NOT_MINE)
    assert_nothing_broken(api.resources.settings.database_url)
