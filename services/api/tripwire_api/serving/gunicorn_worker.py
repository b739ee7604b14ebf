"""The server's worker, whose own refusals (no HTTP, headers too long, too slow) are problem documents as well."""

import contextlib
import json
from typing import Any
from uuid import uuid4

from tripwire_api.http.problems import RETRY_AFTER
from tripwire_shared.serving.refusals import refusal_of
from tripwire_shared.serving.worker import CooperativeWorker


class ApiWorker(CooperativeWorker):
    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answers what never reaches the application. Logs neither headers nor path: both may hold a secret."""
        refusal = refusal_of(exc)
        status, title = refusal.status, refusal.title
        request_id = uuid4().hex
        if status == 500:
            self.log.error("unexpected error before the application, request id %s", request_id, exc_info=exc)
        about = {"type": "about:blank", "title": title, "status": status, "detail": refusal.detail, "instance": "/"}
        body = json.dumps(about)
        head = (
            f"HTTP/1.1 {status} {title}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
            f"Content-Length: {len(body)}\r\nX-Request-ID: {request_id}\r\n{_more(status)}\r\n"
        )
        with contextlib.suppress(OSError):  # who sent it may be gone
            client.sendall((head + body).encode())


def _more(status: int) -> str:
    return f"Retry-After: {RETRY_AFTER[status]}\r\n" if status in RETRY_AFTER else ""
