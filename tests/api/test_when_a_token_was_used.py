"""That a token is used is noted: in the background, once a minute over all processes, never on the request's time."""

from collections.abc import Callable
from datetime import datetime

from tests.api.conftest import ApiUnderTest, Caller, sql
from tests.waiting import wait_until
from tripwire_shared.late_writes import BackgroundWriter
from tripwire_shared.timings import TOKEN_USE_NOTED_EVERY


def used_at(api: ApiUnderTest, caller: Caller) -> datetime | None:
    at: datetime | None = sql(api, "SELECT max(last_used_at) AS at FROM staff_tokens WHERE staff_id = %s", caller.id)[
        0
    ].at
    return at


def test_it_shows_in_the_lists(api: ApiUnderTest, manager: Caller, admin: Caller) -> None:
    path = f"/api/admin/staff/{manager.id}"
    made = admin.post(f"{path}/tokens", json={"name": "program"}).get_json()
    assert admin.get(path).get_json()["tokens"] == 2
    assert admin.get(path).get_json()["last_seen_at"] is None
    manager.get("/api/auth/me")
    seen = wait_until(lambda: admin.get(path).get_json()["last_seen_at"])
    program, first = admin.get(f"{path}/tokens").get_json()["tokens"]
    assert first["last_used_at"] == seen
    assert (program["id"], program["last_used_at"]) == (made["id"], None)
    assert program["created_by"] == {"id": admin.id, "email": "boss@example.com", "full_name": "Boss"}
    assert first["created_by"] is None
    admin.ask("DELETE", f"{path}/tokens/{made['id']}")
    sql(api, "UPDATE staff_tokens SET expires_at = now() WHERE staff_id = %s", manager.id)
    listed = next(one for one in admin.get("/api/admin/staff").get_json()["staff"] if one["id"] == manager.id)
    assert (listed["tokens"], listed["last_seen_at"]) == (0, seen), "what has ended is not counted, but was seen"


def test_once_a_minute_over_all_processes(api_for: Callable[..., ApiUnderTest]) -> None:
    first, second = api_for(), api_for()
    caller = first.member("manager@example.com")
    for api in (first, second):
        for _ in range(5):
            api.client.get("/api/auth/me", headers={"Authorization": f"Bearer {caller.token}"})
    noted = wait_until(lambda: used_at(first, caller))
    first.resources.writer.stop(5)
    second.resources.writer.stop(5)
    assert used_at(first, caller) == noted
    sql(first, "UPDATE staff_tokens SET last_used_at = now() - make_interval(secs => %s)", TOKEN_USE_NOTED_EVERY + 1)
    [token] = sql(first, "SELECT id FROM staff_tokens")
    first.resources.tokens.note_use(token.id)
    assert used_at(first, caller) != noted


def test_a_bad_token_notes_nothing(api: ApiUnderTest, manager: Caller) -> None:
    written: list[object] = []
    api.resources.tokens._writer = _Remembers(written)
    Caller(api.client, "tsm_nobody").get("/api/auth/me")
    assert written == []
    for _ in range(20):
        manager.get("/api/auth/me")
    assert len(written) == 1, "twenty requests within a minute are one note"


class _Remembers(BackgroundWriter):
    def __init__(self, written: list[object]) -> None:
        super().__init__()
        self.submit = written.append
