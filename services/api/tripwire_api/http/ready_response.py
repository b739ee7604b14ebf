"""An answer that is complete when it is made: at others' headers Werkzeug looks twice more on their way out."""

from flask import Response
from werkzeug.datastructures import Headers

from tripwire_api.http.client_request import JSON, USUAL_HEADERS


class ReadyResponse(Response):
    """`headers`: those beside the usual ones, in ASCII."""

    def __init__(self, body: bytes, status: int, headers: list[tuple[str, str]]) -> None:
        length = ("Content-Length", str(len(body)))
        super().__init__([body], status, Headers([("Content-Type", JSON), length, *USUAL_HEADERS, *headers]))

    def get_wsgi_headers(self, environ: object) -> Headers:
        return self.headers
