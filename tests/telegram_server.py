"""A stand-in for Telegram's Bot API over real HTTP: keeps what it is sent, and answers as the test says."""

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Sent:
    at: float  # time.monotonic()
    text: str
    chat_id: str = ""


class TelegramServer:
    """`answer` is what the next calls get: (status, body). `messages` holds those that were answered 200. `moved`:
    groups that became supergroups, by their old ids; whoever writes to an old one is told the new one."""

    def __init__(self) -> None:
        self.messages: list[Sent] = []
        self.calls = 0
        self.moved: dict[str, int] = {}
        self.answer: tuple[int, dict[str, Any]] = (200, {"ok": True, "result": {"message_id": 1}})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def variables(self) -> dict[str, str]:
        """What a service needs in its environment to send its alerts here."""
        return {
            "TELEGRAM_API_URL": self.url,
            "TELEGRAM_BOT_TOKEN": "123:token-of-tests",
            "TELEGRAM_ADMIN_CHAT_ID": "42",
        }

    def texts(self, part: str) -> list[str]:
        return [message.text for message in self.messages if part in message.text]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.calls += 1
                status, answer = server.answer
                if status == 200 and (new := server.moved.get(str(body["chat_id"]))) is not None:
                    status, answer = 400, _supergroup(new)
                if status == 200:
                    server.messages.append(Sent(time.monotonic(), body["text"], str(body["chat_id"])))
                told = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_: Any) -> None:
                return

        return Handler


def _supergroup(new: int) -> dict[str, Any]:
    """As the Bot API says it."""
    return {
        "ok": False,
        "error_code": 400,
        "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": new},
    }
