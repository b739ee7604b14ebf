"""What is changed in Redis past the API is in the activity log."""

from tests.api.conftest import Caller, assert_problem

PATH = "/api/admin/tripwire/activity/queue"


def test_a_change_is_noted_with_who_and_what(admin: Caller) -> None:
    change = {"what": "empty", "detail": {"queue": "requests", "registry": "failed"}}
    assert admin.post(PATH, json=change).status_code == 201
    noted = admin.get("/api/admin/tripwire/activity?action=queue changed").get_json()["activity"]
    assert [(entry["staff"]["id"], entry["detail"]) for entry in noted] == [
        (admin.id, {"what": "empty", "queue": "requests", "registry": "failed"})
    ]


def test_only_known_changes_and_known_details_are_noted(admin: Caller) -> None:
    for change in ({"what": "flush"}, {}, {"what": "empty", "detail": {"password": "x"}}, {"what": "empty", "x": 1}):
        assert_problem(admin.post(PATH, json=change), 422)
    assert admin.get("/api/admin/tripwire/activity?action=queue changed").get_json()["activity"] == []
