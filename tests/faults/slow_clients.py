"""Clients that hold connections and are of no use: each kind of them, many at once, from one thread."""

import contextlib
import resource
import selectors
import socket
import ssl
import threading
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

# How often a half-sent request goes on by a byte, which defeats a limit on each read.
DRIP = 1.0
# What an impatient client asks for again and again without reading any of it.
NEVER_READ = 200


def allow_files(count: int) -> None:
    """Raises this process' limit of open files, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (count if hard == resource.RLIM_INFINITY else min(count, hard), hard)
        )


class SlowClients:
    """Connections to the server at `url`, held until the block ends. `tls`: those that say anything say it so."""

    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._address = urlsplit(url).hostname or "", urlsplit(url).port or 0
        self._opened = ExitStack()
        self._half_sent: list[socket.socket] = []
        self._asked: dict[socket.socket, bytes] = {}
        self._ended = threading.Event()
        self._dripping = threading.Thread(target=self._drip, daemon=True)

    def __enter__(self) -> Self:
        self._dripping.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self._dripping.join()
        self._opened.close()

    def silent(self, count: int) -> None:
        for _ in range(count):
            self._connect()

    def half_sent(self, count: int, path: str) -> None:
        """A half of them in the middle of a header, the others in the middle of a body."""
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n"
        for number in range(count):
            connection = self._speaking()
            connection.sendall((head + ("X-Half: " if number % 2 else "\r\n{")).encode())
            self._half_sent.append(connection)

    def lingering(self, count: int, path: str) -> None:
        """Answered for the last time, and not going."""
        for _ in range(count):
            connection = self._speaking()
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")

    def never_reading(self, count: int, path: str) -> None:
        for _ in range(count):
            connection = self._speaking(receive_buffer=4096)
            connection.setblocking(False)
            connection.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * NEVER_READ)

    def ask(self, path: str, token: str, *headers: str) -> None:
        """Asks, and waits for no answer; `answered` counts them."""
        connection = self._connect()
        lines = [f"GET {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", *headers, "", ""]
        connection.sendall("\r\n".join(lines).encode())
        connection.setblocking(False)
        self._asked[connection] = b""

    def answered(self, words: bytes = b"HTTP/1.1 200") -> int:
        """How many answers hold these words by now."""
        for connection, answer in self._asked.items():
            with contextlib.suppress(BlockingIOError, ConnectionError):  # nothing yet, or turned away
                self._asked[connection] = answer + connection.recv(65536)
        return sum(words in answer for answer in self._asked.values())

    def seconds_until_half_sent_are_closed(self, at_most: float) -> float:
        """How long it takes until the server has closed all of them."""
        began = time.monotonic()
        with selectors.DefaultSelector() as waiting:
            for connection in self._half_sent:
                connection.setblocking(False)
                waiting.register(connection, selectors.EVENT_READ)
            while waiting.get_map():
                left = began + at_most - time.monotonic()
                assert left > 0, f"{len(waiting.get_map())} half-sent requests are still open after {at_most:g} s"
                for key, _ in waiting.select(left):
                    if _is_closed(key.fileobj):  # type: ignore[arg-type]
                        waiting.unregister(key.fileobj)
        return time.monotonic() - began

    def _connect(self, receive_buffer: int | None = None) -> socket.socket:
        connection = self._opened.enter_context(socket.socket())
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(10)
        connection.connect(self._address)
        return connection

    def _speaking(self, receive_buffer: int | None = None) -> socket.socket:
        connection = self._connect(receive_buffer)
        if self._tls is not None:
            connection = self._opened.enter_context(self._tls.wrap_socket(connection, server_hostname="localhost"))
        return connection

    def _drip(self) -> None:
        while not self._ended.wait(DRIP):
            for connection in list(self._half_sent):
                try:
                    connection.send(b"a")
                except OSError:
                    continue  # closed, as it should be


def _is_closed(connection: socket.socket) -> bool:
    try:
        return not connection.recv(65536)
    except BlockingIOError:
        return False
    except OSError:  # reset: it has just got a further byte
        return True
