"""What the description allows, and what it does not, at random to every route: never a 5xx, always as described."""

from collections.abc import Callable

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.api.conftest import ApiUnderTest
from tripwire_shared.answers.vocabulary import Role

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
EXAMPLES = 8
# It would sign the tests' own token out.
LEFT_OUT = {"/api/auth/logout"}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_route(api_for: Callable[..., ApiUnderTest], subtests: pytest.Subtests, mode: GenerationMode) -> None:
    api = api_for(api_rate_limit=0)
    headers = {"Authorization": f"Bearer {api.member('boss@example.com', Role.ADMIN).token}"}
    schema = schemathesis.openapi.from_wsgi("/openapi.json", api.client.application)
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in LEFT_OUT:
            continue

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case) -> None:
            nonlocal asked
            asked += 1
            case.call_and_validate(headers=headers, checks=CHECKS)

        with subtests.test(f"{operation.method} {operation.path}"):
            ask()
    assert asked > 50
