"""What no route has to look for itself: malformed JSON, and text that neither people nor PostgreSQL can read.

Runs after the guard and before the schema of the route. The body is read and parsed here, once.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from flask import Request, g
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, HTTPException

from tripwire_api.client_request import BODY_AT_MOST, TooLarge, is_json
from tripwire_shared.errors import InvalidFields

# Nothing that is sent here is a list of lists of lists; what reads JSON after us recurses.
DEPTH_AT_MOST = 20
# Control characters, and halves of characters (which JSON can write down and UTF-8 cannot).
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# In the bytes of a body: such a character as it is (those from U+0080 on are two bytes), or written with a backslash.
_SUSPECT = re.compile(rb"[\x00-\x1f\x7f\\]|\xc2[\x80-\x9f]")
MESSAGE = "Must not contain control characters."


class BodyReadOnce(FlaskParser):
    """webargs' parser, which takes the body as it was parsed here."""

    def _raw_load_json(self, req: Request) -> Any:
        return g.document if "document" in g else super()._raw_load_json(req)


def read_body(asked: Request) -> None:
    """Parses a JSON body into `g.document`. Raises BadRequest where it is none, InvalidFields for control characters in
    it or in the query."""
    bad: set[str] = set()
    if asked.environ.get("QUERY_STRING"):
        bad.update(name for name, value in asked.args.items(multi=True) if _UNREADABLE.search(value))
    if is_json(asked) and (content := _content(asked)):
        g.document = document = _parsed(content)
        if _SUSPECT.search(content) or content.count(b"{") + content.count(b"[") > DEPTH_AT_MOST:
            bad.update(field for field, text in _texts(document) if _UNREADABLE.search(text))
    if bad:
        raise InvalidFields({name: [MESSAGE] for name in sorted(bad)})


def _content(asked: Request) -> bytes:
    try:
        content = asked.get_data()
    except HTTPException:
        raise
    except Exception:  # the server's own kinds, such as a broken chunk
        raise BadRequest("The body could not be read.") from None
    if len(content) > BODY_AT_MOST:
        raise TooLarge
    return content


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content.decode())
    except (ValueError, RecursionError):  # also bytes that are no UTF-8, and numbers of thousands of digits
        raise BadRequest("The body is not well-formed JSON.") from None


def _texts(body: Any) -> Iterator[tuple[str, str]]:
    """Every text in `body`, with the outermost field it stands in. Raises BadRequest for what is too deep."""
    waiting = [("body", body, 0)]
    while waiting:
        field, value, depth = waiting.pop()
        if depth > DEPTH_AT_MOST:
            raise BadRequest("The body is nested too deeply.")
        if isinstance(value, str):
            yield field, value
        elif isinstance(value, dict):
            waiting += [(str(name) if depth == 0 else field, inside, depth + 1) for name, inside in value.items()]
        elif isinstance(value, list):
            waiting += [(field, inside, depth + 1) for inside in value]
