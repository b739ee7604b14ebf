"""A mail server that takes every mail and forgets it, in a process of its own: little of the processors goes to it."""

import multiprocessing
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager

GREETING, CAPABILITIES, GO_ON, TAKEN, FAREWELL = (
    b"220 bench\r\n", b"250-bench\r\n250 8BITMIME\r\n", b"354 Go on\r\n", b"250 OK\r\n", b"221 Bye\r\n",
)  # fmt: skip
END_OF_MAIL = b".\r\n"


class _Session(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self.wfile.write(GREETING)
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"QUIT":
                self.wfile.write(FAREWELL)
                return
            if verb == b"DATA":
                self.wfile.write(GO_ON)
                while self.rfile.readline() not in (END_OF_MAIL, b""):
                    pass
            self.wfile.write(CAPABILITIES if verb == b"EHLO" else TAKEN)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A sender that was stopped in the middle of a mail is none of our business."""


@contextmanager
def mail_sink() -> Iterator[str]:
    """The SMTP_URL of a running one."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        process = multiprocessing.get_context("fork").Process(target=server.serve_forever, daemon=True)
        process.start()
        try:
            yield f"smtp://127.0.0.1:{server.server_address[1]}"
        finally:
            process.terminate()
            process.join()
