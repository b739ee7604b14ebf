"""What no route has to look for itself: malformed JSON, and text that neither people nor PostgreSQL can read.

Runs after the guard and before the schema of the route.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from flask import request
from werkzeug.exceptions import BadRequest, HTTPException

from tripwire_api.client_request import BODY_AT_MOST, TooLarge
from tripwire_shared.errors import InvalidFields

# Nothing that is sent here is a list of lists of lists; what reads JSON after us recurses.
DEPTH_AT_MOST = 20
# Control characters, and halves of characters (which JSON can write down and UTF-8 cannot).
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
MESSAGE = "Must not contain control characters."


def check_texts() -> None:
    """Raises BadRequest for a body that is no JSON, InvalidFields for control characters in it or in the query."""
    bad = {name for name, value in request.args.items(multi=True) if _UNREADABLE.search(value)}
    if request.is_json and (content := _content()):
        bad.update(field for field, text in _texts(_parsed(content)) if _UNREADABLE.search(text))
    if bad:
        raise InvalidFields({name: [MESSAGE] for name in sorted(bad)})


def _content() -> bytes:
    try:
        content = request.get_data()
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
