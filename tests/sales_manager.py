"""A sales manager at the API: creates customers over HTTP and looks what became of them."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests

from tests.waiting import wait_until

CREATE = "/api/admin/tripwire/users"


@dataclass
class Manager:
    api_url: str
    token: str
    session: requests.Session = field(default_factory=requests.Session)

    def create(self, email: str | None = None, **more: Any) -> requests.Response:
        """POSTs a customer; `key` becomes the Idempotency-Key."""
        headers = {"Idempotency-Key": more.pop("key")} if "key" in more else {}
        body = {"email": email or new_email(), "full_name": "Anna K.", **more}
        return self.call("POST", CREATE, json=body, headers=headers)

    def request(self, request_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/api/admin/tripwire/requests/{request_id}").json()
        return found

    def wait_for(self, request_id: str, status: str, seconds: float = 10.0) -> dict[str, Any]:
        def reached() -> dict[str, Any] | None:
            found = self.request(request_id)
            return found if found["status"] == status else None

        return wait_until(reached, seconds, step=0.05, what=f"{request_id} {status}")

    def switch(self, mode: str) -> dict[str, Any]:
        answer = self.call("POST", "/api/admin/system/mode", json={"mode": mode, "reason": "a test"})
        assert answer.status_code == 200, answer.text
        switched: dict[str, Any] = answer.json()
        return switched

    def metrics(self) -> dict[str, Any]:
        figures: dict[str, Any] = self.call("GET", "/api/admin/system/metrics").json()
        return figures

    def wait_for_workers(self, number: int = 1) -> None:
        """Until so many worker services ask the queue for work: on a busy machine they take seconds to begin."""
        wait_until(lambda: self.metrics()["workers"] == number, 40, step=0.1, what=f"{number} workers")

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return self.session.request(method, self.api_url + path, headers=headers, timeout=15, **more)


def new_email() -> str:
    return f"{uuid4().hex[:16]}@example.com"
