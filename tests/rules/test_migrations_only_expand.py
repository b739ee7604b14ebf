"""A migration leaves the version before alive: it only adds, or says since when nothing uses what it removes."""

import pytest

from deploy.local.services import ROOT
from tripwire_shared.migration_rules import contraction_of, not_expanding, refused_contracts

MIGRATIONS = sorted((ROOT / "db/migrations").glob("*.sql"))
# Those came before there were deploys that go on while the old version runs.
BEFORE_THE_RULE = "0018"


def test_each_migration_only_expands() -> None:
    for file in MIGRATIONS:
        sql = file.read_text(encoding="utf-8")
        if file.name >= BEFORE_THE_RULE and contraction_of(sql) is None:
            assert not_expanding(sql) == [], file.name


def test_a_contraction_names_a_migration_before_it() -> None:
    names = [file.stem for file in MIGRATIONS]
    for file in MIGRATIONS:
        since = contraction_of(file.read_text(encoding="utf-8"))
        assert since is None or since in names[: names.index(file.stem)], file.name


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DROP TABLE sales;", "drops a table"),
        ("ALTER TABLE sales DROP COLUMN amount;", "drops a column"),
        ("ALTER TABLE sales RENAME COLUMN amount TO price;", "renames"),
        ("ALTER TABLE sales RENAME TO charges;", "renames"),
        ("ALTER TABLE sales ADD COLUMN vat integer NOT NULL;", "adds a column NOT NULL without a default"),
        ("alter table sales add column vat integer check (vat > 0) not null, add column b text;",
         "adds a column NOT NULL without a default"),
        ("ALTER TABLE sales ALTER COLUMN currency SET NOT NULL;", "makes a column NOT NULL"),
        ("CREATE INDEX x ON sales (amount);", "builds an index without CONCURRENTLY (sales)"),
        ("CREATE UNIQUE INDEX x ON sales (amount);", "builds an index without CONCURRENTLY (sales)"),
        ("ALTER TABLE sales ALTER COLUMN amount TYPE bigint;", "rewrites a table for another type (sales)"),
        ("ALTER TABLE sales ADD CONSTRAINT p CHECK (amount > 0);", "adds a constraint without NOT VALID (sales)"),
        ("DROP FUNCTION welcome_email_of(uuid);", "drops what old code may call"),
    ],
)  # fmt: skip
def test_what_old_code_cannot_live_with_is_found(sql: str, words: str) -> None:
    assert not_expanding(sql) == [words]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE new (id bigint PRIMARY KEY); CREATE INDEX x ON new (id);",
        "ALTER TABLE sales ADD COLUMN vat integer NOT NULL DEFAULT 0;",
        "ALTER TABLE sales ADD COLUMN vat integer DEFAULT 0 NOT NULL, ADD COLUMN note text;",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS x ON sales (amount);",
        "ALTER TABLE sales ADD CONSTRAINT p CHECK (amount > 0) NOT VALID;",
        "-- DROP TABLE sales;\nSELECT 1;",
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ TRUNCATE sales $$;",
        "ALTER TABLE sales ALTER COLUMN note DROP NOT NULL;",
        "DROP INDEX CONCURRENTLY x;",
    ],
)
def test_what_only_expands_is_left_alone(sql: str) -> None:
    assert not_expanding(sql) == []


def test_a_contraction_waits_for_a_later_deploy() -> None:
    pending = {"0020_unused": "SELECT 1;", "0021_gone": "-- contract: 0020_unused\nDROP TABLE old;"}
    assert refused_contracts(pending, {"0019_x"}) == {"0021_gone": "0020_unused"}
    assert refused_contracts({"0021_gone": pending["0021_gone"]}, {"0019_x", "0020_unused"}) == {}
    assert refused_contracts(pending, set()) == {}, "on an empty database nothing runs"
