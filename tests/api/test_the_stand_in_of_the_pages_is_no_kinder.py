"""The admin UI's tests and pictures stand on `tests/admin_ui/stand_in_api.py`, which writes the product's own types:
each where the API answers with it."""

import re

from tests.admin_ui.stand_in_api import KINDS
from tests.api.conftest import ApiUnderTest


def test_each_call_is_answered_with_the_type_that_the_api_describes(api: ApiUnderTest) -> None:
    described = api.client.get("/openapi.json").json["paths"]
    named: dict[str, set[str]] = {}
    for path, operations in described.items():
        for method, operation in operations.items():
            for status, answer in operation.get("responses", {}).items() if isinstance(operation, dict) else ():
                schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
                if status.startswith("2") and "$ref" in schema:
                    asked = f"{method.upper()} {re.sub(r'{[^}]*}', 'x', path)}"
                    named.setdefault(asked, set()).add(schema["$ref"].rpartition("/")[2])
    assert len(named) > len(KINDS)
    known = 0
    for asked, names in named.items():
        kinds = [kind for method, path, kind in KINDS if re.fullmatch(f"(?:{method}) {path}", asked)]
        if kinds:
            known += 1
            assert names == {kinds[0].__name__}, asked
    assert known >= len(KINDS)
