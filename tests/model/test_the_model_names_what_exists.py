"""Beside each step of the model stands the statement that it stands for: each of those is there."""

import re
from pathlib import Path

import pytest

from deploy.local.services import ROOT
from tests.model import model_of_requests, statements

SHARED = ROOT / "shared" / "tripwire_shared"
STATEMENTS = re.compile(r"([\w/]+\.sql): ([a-z_]+(?:, [a-z_]+)*)")
MODULES = re.compile(r"\b([a-z_]+/[\w/]+\.py)\b")


def text_of_the_model() -> str:
    return "\n".join(
        Path(str(module.__file__)).read_text(encoding="utf-8") for module in (statements, model_of_requests)
    )


NAMED = sorted({(file, name) for file, names in STATEMENTS.findall(text_of_the_model()) for name in names.split(", ")})


def test_the_statements_that_move_a_request_are_all_named() -> None:
    moving = {"accept", "claim", "claim_due", "renew", "provision", "fail", "put_off", "waiting", "give_up", "retry"}
    assert {name for _, name in NAMED} == moving


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_each_statement_is_there(file: str, name: str) -> None:
    assert re.search(rf"^-- name: {name}[\^$!]?$", (SHARED / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_each_module_is_there() -> None:
    named = set(MODULES.findall(text_of_the_model()))
    assert named
    places = (SHARED, ROOT / "services" / "worker")
    assert not [module for module in named if not any((place / module).is_file() for place in places)]
