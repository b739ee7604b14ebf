"""What no route has to look for itself: malformed JSON, fields and parameters that come twice, and text that neither
people nor PostgreSQL can read.

Runs after the guard and before the schema of the route. The body is read and parsed here, once.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import flask_smorest
from flask import Request, Response, g
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest

from tripwire_api.http.client_request import body_of, is_json
from tripwire_shared.answers.answer import REFERENCE, Answer, dump
from tripwire_shared.errors import InvalidFields

A = TypeVar("A", bound=Answer)
P = ParamSpec("P")

# Nothing that is sent here is a list of lists of lists; what reads JSON after us recurses.
DEPTH_AT_MOST = 20
# A whole number of more digits is beyond every field's range, and reading thousands of them takes long.
DIGITS_AT_MOST = 20
# Control characters, and halves of characters (which JSON can write down and UTF-8 cannot).
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# In the bytes of a body: such a character as it is (those from U+0080 on are two bytes), or written with a backslash.
_SUSPECT = re.compile(rb"[\x00-\x1f\x7f\\]|\xc2[\x80-\x9f]")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MESSAGE = "Must not contain control characters."
TWICE = "Must not come twice."
# Of a name that a client made up so much is repeated.
_NAME_SHOWN = 100


class BodyReadOnce(FlaskParser):
    """webargs' parser, which takes the body as it was parsed here."""

    def _raw_load_json(self, req: Request) -> Any:
        if "document" not in g:
            raise BadRequest("The body is empty.")
        return g.document


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest is not typed
    """Routes whose bodies were read here, and that answer with the types of `tripwire_shared.answers`."""

    ARGUMENTS_PARSER = BodyReadOnce()

    def answers(self, status: int, kind: type[A]) -> Callable[[Callable[P, A]], Callable[P, Response]]:
        """The view returns `kind`; it is documented by it and written as JSON once."""

        def decorator(view: Callable[P, A]) -> Callable[P, Response]:
            @wraps(view)
            def written(*args: P.args, **kwargs: P.kwargs) -> Response:
                return Response(dump(view(*args, **kwargs)), status, mimetype="application/json")

            documented: Callable[P, Response] = self.response(status, reference(kind))(written)
            return documented

        return decorator


def reference(kind: type[Answer]) -> dict[str, str]:
    """Where OpenAPI's components describe it."""
    return {"$ref": REFERENCE.format(name=kind.__name__)}


def read_body(asked: Request) -> None:
    """Parses a JSON body into `g.document`. Raises BadRequest where it is none, InvalidFields for control characters in
    it or in the query, and for what comes twice."""
    bad: dict[str, str] = {}
    if asked.environ.get("QUERY_STRING"):
        given = list(asked.args.items(multi=True))
        bad |= {name: TWICE for name, count in Counter(name for name, _ in given).items() if count > 1}
        bad |= {name: MESSAGE for name, value in given if _UNREADABLE.search(value)}
    if is_json(asked) and (content := body_of(asked)):
        g.document = document = _parsed(content)
        if _SUSPECT.search(content) or content.count(b"{") + content.count(b"[") > DEPTH_AT_MOST:
            bad |= {field: MESSAGE for field, text in _texts(document) if _UNREADABLE.search(text)}
    if bad:
        raise InvalidFields({name[:_NAME_SHOWN]: [bad[name]] for name in sorted(bad)})


def _parsed(content: bytes) -> Any:
    try:
        return _DECODER.decode(content.removeprefix(_BYTE_ORDER_MARK).decode())
    except (ValueError, RecursionError):  # also bytes that are no UTF-8
        raise BadRequest("The body is not well-formed JSON.") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of which every field comes once: of two, readers may take either."""
    found = dict(pairs)
    if len(found) != len(pairs):
        counted = Counter(name for name, _ in pairs)
        raise InvalidFields({name[:_NAME_SHOWN]: [TWICE] for name, count in counted.items() if count > 1})
    return found


def _whole(digits: str) -> int:
    """A number that is too long for every field, as one that is too large: so its field is named."""
    return int(digits if len(digits) <= DIGITS_AT_MOST else digits[:DIGITS_AT_MOST])


_DECODER = json.JSONDecoder(object_pairs_hook=_each_once, parse_int=_whole)


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
