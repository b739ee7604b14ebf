"""The routing table, walked: a route without a guard, or a public one that nobody decided on, fails here."""

from collections.abc import Callable

import flask_smorest
import pytest
from flask import Flask

from tests.api.conftest import assert_problem
from tripwire_api.app import GUARDS, create_app
from tripwire_api.http.access import public
from tripwire_api.http.body_rules import BodyReadOnce
from tripwire_api.parts import build_api
from tripwire_shared.settings import Settings

# What needs no token, by decision. Whoever adds a line here says why in the review.
PUBLIC = {
    "/api/auth/login",
    "/docs",
    "/docs/static/<path:filename>",
    "/healthz",
    "/invitations/<token>",
    "/invitations/static/<path:filename>",
    "/metrics",
    "/openapi.json",
    "/readyz",
}
SOME_ID = "2f9fd0a6-6c8e-4c6b-9a2b-3f6f2f0e8a11"


@pytest.fixture
def app(settings_for: Callable[..., Settings]) -> Flask:
    return create_app(build_api(settings_for()))


def test_every_documented_body_is_read_by_our_rules(app: Flask) -> None:
    """Fields that come twice, numbers of thousands of digits and empty bodies are refused there."""
    for blueprint in app.blueprints.values():
        if isinstance(blueprint, flask_smorest.Blueprint):
            assert isinstance(blueprint.ARGUMENTS_PARSER, BodyReadOnce), f"{blueprint.name}: take body_rules.Blueprint"


def test_each_route_belongs_to_a_blueprint_with_a_guard(app: Flask) -> None:
    guards = app.extensions[GUARDS]
    for rule in app.url_map.iter_rules():
        blueprint, _, view = rule.endpoint.rpartition(".")
        assert view
        assert blueprint in guards, f"{rule.rule} has no guard"


def test_public_is_only_what_was_decided_to_be(app: Flask) -> None:
    guards = app.extensions[GUARDS]
    found = {rule.rule for rule in app.url_map.iter_rules() if guards[rule.endpoint.rpartition(".")[0]] is public}
    assert found == PUBLIC


def test_every_other_route_answers_401_without_a_token(app: Flask) -> None:
    client, asked = app.test_client(), 0
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for argument in rule.arguments:
            path = path.replace(f"<uuid:{argument}>", SOME_ID)
        assert "<" not in path or rule.rule in PUBLIC, f"this test cannot fill {rule.rule}"
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if rule.rule not in PUBLIC:
                answer = client.open(path, method=method)
                assert_problem(answer, 401)
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                asked += 1
    assert asked > 10
