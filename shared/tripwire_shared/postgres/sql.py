"""Loads the `.sql` file that stands beside a store."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import aiosql

# A text that several queries of a file share: `-- fragment: NAME`, up to the next query or fragment; `{{NAME}}` where
# it is used.
_FRAGMENT = re.compile(r"^-- fragment: (\w+)\n(.*?)(?=^-- (?:fragment|name): )", re.MULTILINE | re.DOTALL)


@cache
def load_queries(store_file: str) -> Any:
    """The queries of the file beside `store_file` (pass `__file__`) with the ending `.sql`, as functions by their name.

    A file is read once in a process. Each query takes a psycopg2 connection and keyword parameters; rows are named
    tuples.
    """
    text = Path(store_file).with_suffix(".sql").read_text(encoding="utf-8")
    return aiosql.from_str(with_fragments(text), "psycopg2", mandatory_parameters=False)


def with_fragments(text: str) -> str:
    """`text` with its fragments where they are used. Raises KeyError for one that does not stand in it."""
    fragments = {name: body.rstrip() for name, body in _FRAGMENT.findall(text)}
    return re.sub(r"\{\{(\w+)\}\}", lambda used: fragments[used[1]], _FRAGMENT.sub("", text))
