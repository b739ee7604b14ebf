"""What a migration may do while the version before runs on: add, and nothing that old code cannot live with. Pure.

A deploy migrates first and replaces processes after that; where it fails the old ones stay. So a migration only
expands.
What removes something says since which migration nothing uses it any more:

    -- contract: 0012_fewer_indexes

It may be applied once that one came with an earlier deploy (`refused_contracts`).
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

CONTRACT = re.compile(r"^--\s*contract:\s*(\d{4}_\w+)\s*$", re.MULTILINE)
_COMMENT = re.compile(r"--[^\n]*")
_BODY = re.compile(r"\$(\w*)\$.*?\$\1\$", re.DOTALL)
_NEW_TABLE = re.compile(r"\bCREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?([\w.]+)", re.IGNORECASE)

# What old code cannot live with.
_REMOVING = (
    (r"\bDROP\s+TABLE\b", "drops a table"),
    (r"\bDROP\s+COLUMN\b", "drops a column"),
    (r"\bDROP\s+(?:FUNCTION|VIEW|SCHEMA|TYPE|EXTENSION)\b", "drops what old code may call"),
    (r"\bRENAME\b", "renames"),
    (r"\bADD\s+COLUMN\b(?:(?!\bDEFAULT\b|\bGENERATED\b|,|;).)*\bNOT\s+NULL\b(?:(?!\bDEFAULT\b|\bGENERATED\b|,|;).)*(?=[,;])",
     "adds a column NOT NULL without a default"),
    (r"\bALTER\s+COLUMN\s+\w+\s+SET\s+NOT\s+NULL\b", "makes a column NOT NULL"),
    (r"\bALTER\s+COLUMN\s+\w+\s+DROP\s+DEFAULT\b", "takes a default away"),
    (r"\bTRUNCATE\b", "empties a table"),
)  # fmt: skip
# What holds a lock as long as the table is large. `{table}`: of those that are not new in the same migration.
_LOCKING = (
    (r"\bCREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY\b)(?:IF\s+NOT\s+EXISTS\s+)?\w+\s+ON\s+(?P<table>[\w.]+)",
     "builds an index without CONCURRENTLY"),
    (r"\bALTER\s+TABLE\s+(?:ONLY\s+)?(?P<table>[\w.]+)[^;]*\bALTER\s+COLUMN\s+\w+\s+(?:SET\s+DATA\s+)?TYPE\b",
     "rewrites a table for another type"),
    (r"\bALTER\s+TABLE\s+(?:ONLY\s+)?(?P<table>[\w.]+)(?![^;]*\bNOT\s+VALID\b)[^;]*\bADD\s+CONSTRAINT\b",
     "adds a constraint without NOT VALID"),
    (r"\b(?:VACUUM\s+FULL|CLUSTER)\s+(?P<table>[\w.]+)", "rewrites a table"),
)  # fmt: skip


def contraction_of(sql: str) -> str | None:
    """The migration since which nothing uses what this one removes; None where it claims to remove nothing."""
    found = CONTRACT.search(sql)
    return found[1] if found else None


def not_expanding(sql: str) -> list[str]:
    """What in a migration old code cannot live with or has to wait for, in words. Bodies of functions do not count."""
    plain = _BODY.sub("''", _COMMENT.sub("", sql))
    new_tables = {name.lower() for name in _NEW_TABLE.findall(plain)}
    problems = [words for pattern, words in _REMOVING if re.search(pattern, plain, re.IGNORECASE | re.DOTALL)]
    for pattern, words in _LOCKING:
        tables = {match["table"].lower() for match in re.finditer(pattern, plain, re.IGNORECASE)} - new_tables
        problems += [f"{words} ({table})" for table in sorted(tables)]
    return problems


def refused_contracts(pending: Mapping[str, str], applied: AbstractSet[str]) -> dict[str, str]:
    """Of the pending migrations (name → SQL) those that remove what the running version may still use, each with the
    migration that must have come with an earlier deploy. On an empty database nothing runs."""
    if not applied:
        return {}
    needed = {name: contraction_of(sql) for name, sql in pending.items()}
    return {name: since for name, since in needed.items() if since is not None and since not in applied}
