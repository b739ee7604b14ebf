"""Loads the `.sql` file that stands beside a store."""

from functools import cache
from pathlib import Path
from typing import Any

import aiosql


@cache
def load_queries(store_file: str) -> Any:
    """The queries of the file beside `store_file` (pass `__file__`) with the ending `.sql`, as functions by their name.

    A file is read once in a process. Each query takes a psycopg2 connection and keyword parameters; rows are named
    tuples.
    """
    return aiosql.from_path(Path(store_file).with_suffix(".sql"), "psycopg2", mandatory_parameters=False)
