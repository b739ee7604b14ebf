"""What may stand in a log: no name, address, password or token of anybody. Pure.

An error's own text is no text of ours: PostgreSQL quotes the row, `int()` what it was given, SMTP the recipients,
`requests` an address with a token in it. So a log names an error by its class and by what only a programmer chose
(SQLSTATE, constraint, errno), and shows its text where that speaks of code alone. What still looks like an e-mail
address or a secret is hidden in every line: the net below, for the text of others.
"""

import errno
import re
import traceback
from collections.abc import Iterator, Mapping
from datetime import date
from enum import Enum
from pathlib import PurePath
from types import TracebackType
from typing import Any
from uuid import UUID

ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]

# Their text names types, attributes and modules, not values. Ours say what we wrote, and Redis holds ids only.
_SPEAK_OF_CODE = (AttributeError, NameError, ImportError, TypeError, RecursionError, MemoryError, NotImplementedError)
_OURS = ("tripwire_", "deploy.", "redis.")
# What a server's error is known by, under the names that psycopg2 gives it.
_OBJECTS = ("schema_name", "table_name", "column_name", "datatype_name", "constraint_name")
_NAME = re.compile(r"\w{1,63}")
# Of a chain and of a group: more tell nothing new.
_ERRORS_AT_MOST = 20

# A local part is 64 characters at most; without that bound a long text costs the square of its length.
_PART = r"[^\s@\"'`<>()\[\]{},;:=|\\/]"
_HIDDEN = re.compile(
    rf"://[^\s/@]*@|\bsentinel_password=[^\s&\"']*|\$argon2\w*\$[^\s\"',)]*|\btsm_[\w-]{{8,}}|\bgAAAA[\w=-]{{16,}}|{_PART}{{1,64}}(?:@|%40){_PART}+"
)


def hidden(text: str) -> str:
    """`text` without e-mail addresses, tokens, hashes, and passwords in addresses."""
    return _HIDDEN.sub("[hidden]", text)


def said(error: BaseException) -> str:
    """An error in one line, without what it quotes."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    facts = ", ".join(_facts(error))
    return f"{name}: {facts}" if facts else name


def _facts(error: BaseException) -> Iterator[str]:
    if isinstance(error, _SPEAK_OF_CODE) or type(error).__module__.startswith(_OURS):
        yield hidden(" ".join(str(error).split()))
    elif isinstance(error, OSError) and isinstance(error.errno, int):
        yield errno.errorcode.get(error.errno, str(error.errno))
    for attribute in ("pgcode", "smtp_code"):
        if (code := getattr(error, attribute, None)) is not None and _NAME.fullmatch(str(code)):
            yield f"{attribute} {code}"
    told = getattr(error, "diag", None)
    for attribute in _OBJECTS:
        if isinstance(name := getattr(told, attribute, None), str) and _NAME.fullmatch(name):
            yield f"{attribute.removesuffix('_name')} {name}"


def traceback_text(exc_info: ExcInfo) -> str:
    """As Python shows it, source lines and causes included, but each error as `said`."""
    _, error, trace = exc_info
    return "" if error is None else "\n".join(_lines(error, trace, seen=set()))


def _lines(error: BaseException, trace: TracebackType | None, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before, link = error.__cause__, "It was raised because of the error above:"
    if before is None and not error.__suppress_context__:
        before, link = error.__context__, "It was raised while the error above was handled:"
    if before is not None and id(before) not in seen and len(seen) < _ERRORS_AT_MOST:
        yield from _lines(before, before.__traceback__, seen)
        yield link
    yield "Traceback (most recent call last):"
    yield from (line.rstrip("\n") for line in traceback.format_tb(trace))
    yield said(error)
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            if id(one) not in seen and len(seen) < _ERRORS_AT_MOST:
                yield "It holds:"
                yield from _lines(one, one.__traceback__, seen)


def loggable(value: Any) -> Any:
    """A field of a line, as it may stand there: an object of which nobody knows what it shows is only named."""
    if isinstance(value, BaseException):
        return said(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):
        return loggable(value.value)
    if isinstance(value, str | UUID | date | PurePath):
        return hidden(str(value))
    if isinstance(value, Mapping):
        return {hidden(str(name)): loggable(inside) for name, inside in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [loggable(inside) for inside in value]
    return f"<{type(value).__name__}>"
