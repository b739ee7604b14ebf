"""Behind a transaction pooler each statement may meet another session: no store's SQL leaves anything in one or counts
on what it has, a time zone included."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STORES = sorted(file for folder in ("shared", "services") for file in (ROOT / folder).rglob("*.sql"))
OF_A_SESSION = {
    "a lock that outlives its transaction": r"pg_(try_)?advisory_(un)?lock",
    "a setting": r"\A\s*SET\s+(?!LOCAL\b)|set_config\([^)]*false\s*\)",
    "a statement, cursor, table or channel": r"\b(PREPARE|DECLARE|TEMP|TEMPORARY|LISTEN)\b",
    "its time zone": r"date_trunc\('(day|week|month|quarter|year)',\s*(now\(\)|\w+)\)|\bcurrent_date\b|\blocaltime",
}


def statements(text: str) -> list[str]:
    return re.sub(r"--.*", "", text).split(";")


def needs(what: str, statement: str) -> bool:
    return re.search(OF_A_SESSION[what], statement, re.IGNORECASE) is not None


@pytest.mark.parametrize("what", OF_A_SESSION)
def test_no_statement_needs_of_its_session(what: str) -> None:
    assert len(STORES) > 10
    found = [
        f"{file.relative_to(ROOT)}: {statement.strip()}"
        for file in STORES
        for statement in statements(file.read_text(encoding="utf-8"))
        if needs(what, statement)
    ]
    assert found == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_lock(1)",
        "SET statement_timeout = 5",
        "SELECT 1; SET TIME ZONE 'UTC'",
        "SELECT set_config('a', 'b', false)",
        "CREATE TEMP TABLE a ()",
        "SELECT date_trunc('day', now())",
    ],
)
def test_the_rule_sees_it(statement: str) -> None:
    assert any(needs(what, part) for what in OF_A_SESSION for part in statements(statement))
