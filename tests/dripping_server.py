"""A server that answers for ever: a bit ten times a second, each well within the time-out of one read."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def dripping_server(opening: bytes = b"HTTP/1.1 200 OK\r\nX-Slow: ", bit: bytes = b"a") -> Iterator[str]:
    """Host and port; it ends with the block. By default it is an HTTP server in the middle of a header."""
    stopped = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection:
            connection.sendall(opening)
            while not stopped.wait(0.1):
                try:
                    connection.sendall(bit)
                except OSError:
                    return

    def take(listening: socket.socket) -> None:
        while not stopped.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=take, args=(listening,), daemon=True).start()
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            stopped.set()
            listening.shutdown(socket.SHUT_RDWR)
