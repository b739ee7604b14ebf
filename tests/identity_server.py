"""A stand-in for Supabase's admin API over real HTTP: it writes into the test's `auth.users`, or refuses as told."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import psycopg2
from psycopg2.extras import Json


class IdentityServer:
    """`refuse_with`: the status of the next answers, None to serve, with `error_code` in the body and `retry_after` in
    the header. `calls` counts what came in; `updates` are those that changed a user, with its id."""

    def __init__(self, database_url: str) -> None:
        self.refuse_with: int | None = None
        self.error_code: str | None = None
        self.retry_after: str | None = None
        self.calls = 0
        self.keys: set[str] = set()
        self.updates: list[dict[str, Any]] = []
        self._database_url = database_url
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def settings(self) -> dict[str, str]:
        return {
            "identity_provider": "supabase",
            "supabase_url": f"http://127.0.0.1:{self._server.server_port}",
            "supabase_service_role_key": "service-role-of-tests",
        }

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _make_user(self, body: dict[str, Any]) -> int:
        connection = psycopg2.connect(self._database_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO auth.users (id, email, encrypted_password, raw_app_meta_data) VALUES (%s, %s, %s, %s)"
                    " ON CONFLICT DO NOTHING RETURNING id",
                    (str(uuid4()), body["email"], body.get("password_hash"), Json(body["app_metadata"])),
                )
                return 200 if cursor.fetchone() else 422
        finally:
            connection.close()

    def _change_user(self, user_id: str, body: dict[str, Any]) -> int:
        connection = psycopg2.connect(self._database_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("UPDATE auth.users SET email = %s WHERE id = %s", (body["email"], user_id))
                found = bool(cursor.rowcount)
        finally:
            connection.close()
        if found:
            self.updates.append({"id": user_id, **body})
        return 200 if found else 404

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self._answer(server._make_user)

            def do_PUT(self) -> None:
                user_id = self.path.rpartition("/")[2]
                self._answer(lambda body: server._change_user(user_id, body))

            def _answer(self, serve: Callable[[dict[str, Any]], int]) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.calls += 1
                server.keys.add(self.headers["apikey"])
                status = server.refuse_with or serve(body)
                answer = json.dumps({"error_code": server.error_code} if server.error_code else {}).encode()
                self.send_response(status)
                if server.retry_after:
                    self.send_header("Retry-After", server.retry_after)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                return

        return Handler
