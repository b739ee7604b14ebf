"""Resend-welcome: a new mail with a new link, and the old link and the unsent mail die with it, all or nothing."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.conftest import CREATE as USERS
from tests.api.conftest import ApiUnderTest, Caller, assert_problem, sell, sql
from tests.invariants import assert_nothing_broken
from tests.waiting import wait_until
from tripwire_shared.timings import LINK_ASKED_EVERY

pytestmark = pytest.mark.usefixtures("direct")


def path_of(link: str) -> str:
    return link[link.index("/invitations/") :]


def newest_link(api: ApiUnderTest) -> str:
    [row] = sql(api, "SELECT invitation_id FROM outbox WHERE channel = 'mail' ORDER BY id DESC LIMIT 1")
    return path_of(api.resources.invitations.link(row.invitation_id))


def test_the_old_link_dies_at_once_and_the_new_one_works(api: ApiUnderTest, manager: Caller) -> None:
    user_id = sell(manager)["user_id"]
    old = newest_link(api)
    assert manager.client.get(old).status_code == 200

    answer = manager.post(f"{USERS}/{user_id}/resend-welcome")

    assert answer.status_code == 202
    assert answer.get_json() == {"success": True, "user_id": user_id, "welcome_email": "pending"}
    assert manager.client.get(old).status_code == 410
    new = newest_link(api)
    assert new != old
    assert manager.client.get(new).status_code == 200
    wait_until(lambda: manager.get(f"{USERS}/{user_id}").get_json()["welcome_email"] == "sent", 5)
    assert_nothing_broken(api.resources.settings.database_url)


def test_a_mail_that_was_given_up_starts_anew(api: ApiUnderTest, manager: Caller) -> None:
    made = sell(manager)
    sql(
        api,
        "UPDATE outbox SET status = 'failed', finished_at = now(), attempts = 99, created_at = now() - interval '2 d'",
    )
    assert manager.get(f"{USERS}/{made['user_id']}").get_json()["welcome_email"] == "failed"
    manager.post(f"{USERS}/{made['user_id']}/resend-welcome")
    wait_until(lambda: manager.get(f"{USERS}/{made['user_id']}").get_json()["welcome_email"] == "sent", 5)


def test_a_mail_that_still_waits_is_not_sent_any_more(api_for: Callable[..., ApiUnderTest]) -> None:
    nowhere = api_for(smtp_url="smtp://127.0.0.1:1")
    seller = nowhere.member("second@example.com")
    user_id = sell(seller)["user_id"]
    wait_until(lambda: sql(nowhere, "SELECT 1 FROM outbox WHERE last_error IS NOT NULL"), 5)
    seller.post(f"{USERS}/{user_id}/resend-welcome")
    states = [row.status for row in sql(nowhere, "SELECT status FROM outbox WHERE channel = 'mail' ORDER BY id")]
    assert states == ["failed", "pending"]
    assert_nothing_broken(nowhere.resources.settings.database_url)


def test_who_was_given_a_password_gets_a_link_too(api: ApiUnderTest, manager: Caller) -> None:
    user_id = sell(manager, password="a good password")["user_id"]
    manager.post(f"{USERS}/{user_id}/resend-welcome")
    assert manager.client.get(newest_link(api)).status_code == 200
    [user] = sql(api, "SELECT encrypted_password FROM auth.users WHERE id = %s", user_id)
    assert api.resources.hasher.verify(user.encrypted_password, "a good password"), "it holds until another is chosen"


def test_it_is_noted_who_asked(api: ApiUnderTest, manager: Caller) -> None:
    user_id = sell(manager)["user_id"]
    manager.post(f"{USERS}/{user_id}/resend-welcome")
    [entry] = sql(api, "SELECT * FROM sales_activity_log WHERE action = 'welcome mail resent'")
    assert (str(entry.staff_id), str(entry.user_id), entry.address) == (manager.id, user_id, "127.0.0.1")


def test_it_is_done_once_a_minute_for_a_customer_and_the_refusal_says_when_again(
    api: ApiUnderTest, manager: Caller, admin: Caller
) -> None:
    user_id, other_id = (sell(manager, email)["user_id"] for email in ("anna@example.com", "bek@example.com"))
    assert manager.post(f"{USERS}/{user_id}/resend-welcome").status_code == 202, "the first mail does not count"
    wait_until(lambda: manager.get(f"{USERS}/{user_id}").get_json()["welcome_email"] == "sent", 5)
    link = newest_link(api)
    for who in (manager, admin):
        refused = who.post(f"{USERS}/{user_id}/resend-welcome")
        wait = int(refused.headers["Retry-After"])
        assert 55 <= wait <= LINK_ASKED_EVERY
        assert f"in {wait} s" in assert_problem(refused, 429)["detail"]
    assert manager.client.get(link).status_code == 200, "what is refused ends no link"
    assert manager.post(f"{USERS}/{other_id}/resend-welcome").status_code == 202
    sql(api, "UPDATE tripwire_users SET link_asked_at = link_asked_at - interval '60 s'")
    assert manager.post(f"{USERS}/{user_id}/resend-welcome").status_code == 202
    assert [row.count for row in sql(api, "SELECT count(*) FROM sales_activity_log WHERE action ~ 'resent'")] == [3]


def test_after_one_that_failed_it_can_be_done_again_at_once(api: ApiUnderTest, manager: Caller) -> None:
    user_id = sell(manager)["user_id"]
    for _ in range(2):
        assert manager.post(f"{USERS}/{user_id}/resend-welcome").status_code == 202
        wait_until(lambda: manager.get(f"{USERS}/{user_id}").get_json()["welcome_email"] == "sent", 5)
        assert_problem(manager.post(f"{USERS}/{user_id}/resend-welcome"), 429)
        sql(api, "UPDATE outbox SET status = 'failed' WHERE id = (SELECT max(id) FROM outbox WHERE channel = 'mail')")


def test_a_clock_that_was_set_back_closes_nobody_out(api: ApiUnderTest, manager: Caller) -> None:
    user_id = sell(manager)["user_id"]
    sql(api, "UPDATE tripwire_users SET link_asked_at = now() + interval '1 h'")
    assert manager.post(f"{USERS}/{user_id}/resend-welcome").status_code == 202


def test_of_many_at_once_one_wins_and_its_link_works(api: ApiUnderTest, manager: Caller) -> None:
    user_id = sell(manager)["user_id"]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: manager.post(f"{USERS}/{user_id}/resend-welcome").status_code, range(12)))
    assert Counter(answers) == {202: 1, 429: 11}
    assert_nothing_broken(api.resources.settings.database_url)
    assert manager.client.get(newest_link(api)).status_code == 200


def test_where_it_fails_half_way_the_old_link_still_works(
    api: ApiUnderTest, manager: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = sell(manager)["user_id"]
    old = newest_link(api)

    def broken(self: object, *_: object, **__: object) -> None:
        raise RuntimeError("a test's failure")

    monkeypatch.setattr(type(api.resources.outbox), "put_mail", broken)
    assert_problem(manager.post(f"{USERS}/{user_id}/resend-welcome"), 500)
    assert manager.client.get(old).status_code == 200
    assert newest_link(api) == old
