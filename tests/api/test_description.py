"""The API's description of itself: valid OpenAPI 3.1, with all routes, and a page that needs nothing from elsewhere."""

import re

from jsonschema_rs import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31

from tests.api.conftest import ApiUnderTest
from tripwire_api.app import GUARDS
from tripwire_api.http.access import public


def test_it_is_openapi_3_1(api: ApiUnderTest) -> None:
    answer = api.client.get("/openapi.json")
    assert answer.mimetype == "application/json"
    document = answer.get_json()
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in Draft202012Validator(OPENAPI_31).iter_errors(document)] == []
    for schema in document["components"]["schemas"].values():
        Draft202012Validator(schema | {"components": document["components"]})


def test_it_names_every_route_that_needs_a_token(api: ApiUnderTest) -> None:
    app = api.client.application
    guarded = {
        re.sub(r"<uuid:(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if app.extensions[GUARDS][rule.endpoint.rpartition(".")[0]] is not public
    }
    document = api.client.get("/openapi.json").get_json()
    assert set(document["paths"]) == guarded | {"/api/auth/login"}
    for path, operations in document["paths"].items():
        for method in operations.keys() - {"parameters"}:
            assert operations[method]["security"] == ([] if path == "/api/auth/login" else [{"bearer": []}])


def test_it_names_the_headers_of_creating_and_waiting(api: ApiUnderTest) -> None:
    paths = api.client.get("/openapi.json").get_json()["paths"]
    assert [one["name"] for one in paths["/api/admin/tripwire/users"]["post"]["parameters"]] == ["Idempotency-Key"]
    waiting = paths["/api/admin/tripwire/requests/{request_id}"]["get"]["parameters"]
    assert "Prefer" in [one["name"] for one in waiting]


def test_its_page_obeys_its_own_policy(api: ApiUnderTest) -> None:
    page = api.client.get("/docs")
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script|<style|style=|\son\w+=|(?:src|href)=\"(?:https?:)?//", page.text)
    [sheet] = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.text)
    assert api.client.get(sheet).status_code == 200
    assert "/api/admin/tripwire/users" in page.text
