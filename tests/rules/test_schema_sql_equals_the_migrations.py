"""`db/schema.sql` is written for readers; this keeps it true."""

from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from tests.catalog import catalog, rows_of_every_table

SCHEMA = Path(__file__).parents[2] / "db" / "schema.sql"
HOW_TO_RENEW = (
    "db/schema.sql is not the sum of db/migrations. Bring it up to date by hand, with a sentence over each table:"
    " write into it what stands under + and take out what stands under -."
)


def test_schema_sql_equals_the_migrations(database_url: str, empty_database_url: str):
    with closing(psycopg2.connect(empty_database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(SCHEMA.read_text(encoding="utf-8"))

    migrated = catalog(database_url) | rows_of_every_table(database_url)
    read = catalog(empty_database_url) | rows_of_every_table(empty_database_url)

    assert len(migrated) > 100
    missing = [f"+ {line}" for line in sorted(migrated - read)]
    too_much = [f"- {line}" for line in sorted(read - migrated)]
    if missing or too_much:
        pytest.fail("\n".join([HOW_TO_RENEW, *missing, *too_much]), pytrace=False)


def test_every_table_of_schema_sql_stands_under_a_sentence():
    lines = SCHEMA.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.startswith("CREATE TABLE"):
            above = number - 1
            while lines[above].startswith("CREATE SCHEMA"):
                above -= 1
            assert lines[above].startswith("-- "), f"no sentence over {line}"
