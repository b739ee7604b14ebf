"""A small stand-in for Telegram's Bot API: a real HTTP server that keeps what it is sent."""

import json
import socket
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from deploy.local.data_folder import loopback
from tripwire_shared.settings import address

TOKEN = "123:a-token-of-the-tour"  # noqa: S105  # no secret: it opens this stand-in alone
CHAT_ID = "42"


@dataclass(frozen=True)
class Message:
    at: float  # time.monotonic()
    text: str


class _Server(ThreadingHTTPServer):
    def __init__(self, host: str, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, 0), handler)


class TelegramStandIn:
    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._come = threading.Condition()
        self._server = _Server(loopback(), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def variables(self) -> dict[str, str]:
        """What makes a service send its alerts here."""
        return {
            "TELEGRAM_API_URL": address(loopback(), self._server.server_port),
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_ADMIN_CHAT_ID": CHAT_ID,
        }

    def wait_for(self, type: str, limit: float) -> Message | None:
        """The first message of the type (CRITICAL, SWITCH, RESOLVED); None where none comes within `limit` seconds."""
        wanted = f"Type: {type}\n"
        with self._come:
            self._come.wait_for(lambda: any(wanted in message.text for message in self._messages), limit)
            return next((message for message in self._messages if wanted in message.text), None)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"]
                with stand_in._come:
                    stand_in._messages.append(Message(time.monotonic(), text))
                    stand_in._come.notify_all()
                answer = json.dumps({"ok": True, "result": {"message_id": len(stand_in._messages)}}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *arguments: object) -> None:
                """The tour shows what came."""

        return Handler
