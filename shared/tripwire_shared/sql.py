"""Loads the `.sql` file that stands beside a store."""

from pathlib import Path
from typing import Any

import aiosql


def load_queries(store_file: str) -> Any:
    """The queries of the file beside `store_file` (pass `__file__`) with the ending `.sql`, as functions by their name.

    Each takes a psycopg2 connection and keyword parameters; rows are named tuples.
    """
    return aiosql.from_path(Path(store_file).with_suffix(".sql"), "psycopg2", mandatory_parameters=False)


def containing(part: str | None) -> str | None:
    """A pattern for LIKE that matches `part` anywhere, with LIKE's own signs taken literally (`_` and `%` stand in many
    addresses); None where there is nothing to look for."""
    if part is None or not part.strip():
        return None
    escaped = part.strip().lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
