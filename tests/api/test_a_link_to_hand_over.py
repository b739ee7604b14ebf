"""Welcome-link: a new link in the answer; the old one dies, and a mail that waits takes the new one along."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.conftest import CREATE as USERS
from tests.api.conftest import ApiUnderTest, Caller, assert_problem, sell, sql
from tests.invariants import assert_nothing_broken
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("direct")


def path_of(link: str) -> str:
    return link[link.index("/invitations/") :]


def test_the_old_link_dies_and_the_new_one_sets_the_password(api: ApiUnderTest, manager: Caller) -> None:
    user_id = sell(manager)["user_id"]
    wait_until(lambda: manager.get(f"{USERS}/{user_id}").get_json()["welcome_email"] == "sent", 5)
    [first] = sql(api, "SELECT id FROM invitations")
    answer = manager.post(f"{USERS}/{user_id}/welcome-link")
    made = answer.get_json()
    assert (answer.status_code, set(made)) == (201, {"link", "expires_at"})
    left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=71) < left <= timedelta(hours=72)
    assert manager.client.get(path_of(api.resources.invitations.link(first.id))).status_code == 410
    assert manager.client.post(path_of(made["link"]), data={"password": "a good password"}).status_code == 200
    assert sql(api, "SELECT count(*) FROM outbox WHERE channel = 'mail'")[0].count == 1, "nothing is mailed"
    [entry] = sql(api, "SELECT * FROM sales_activity_log WHERE action = 'welcome link made'")
    assert (str(entry.staff_id), str(entry.user_id), entry.detail) == (manager.id, user_id, {})
    assert_nothing_broken(api.resources.settings.database_url)


def test_a_mail_that_waits_takes_the_new_link_along(api_for: Callable[..., ApiUnderTest]) -> None:
    nowhere = api_for(smtp_url="smtp://127.0.0.1:1")
    seller = nowhere.member("second@example.com")
    user_id = sell(seller)["user_id"]
    wait_until(lambda: sql(nowhere, "SELECT 1 FROM outbox WHERE last_error IS NOT NULL"), 5)
    link = seller.post(f"{USERS}/{user_id}/welcome-link").get_json()["link"]
    [mail] = sql(nowhere, "SELECT status, invitation_id FROM outbox WHERE channel = 'mail'")
    assert (mail.status, nowhere.resources.invitations.link(mail.invitation_id)) == ("pending", link)
    assert_nothing_broken(nowhere.resources.settings.database_url)


def test_once_a_minute_for_a_customer_whatever_kind_of_link(manager: Caller) -> None:
    user_id = sell(manager)["user_id"]
    made = manager.post(f"{USERS}/{user_id}/welcome-link").get_json()
    for again in ("welcome-link", "resend-welcome"):
        refused = manager.post(f"{USERS}/{user_id}/{again}")
        assert 55 <= int(refused.headers["Retry-After"]) <= 60
        assert_problem(refused, 429)
    assert manager.client.get(path_of(made["link"])).status_code == 200, "what is refused ends no link"


def test_it_is_its_managers_alone_and_never_an_erased_ones(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    user_id = sell(manager)["user_id"]
    assert_problem(api.member("other@example.com").post(f"{USERS}/{user_id}/welcome-link"), 404)
    admin.ask("DELETE", f"{USERS}/{user_id}")
    assert_problem(manager.post(f"{USERS}/{user_id}/welcome-link"), 409)
