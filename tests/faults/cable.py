"""A cable between a client and a server here that can be pulled: nothing is closed, and nothing comes through."""

import contextlib
import select
import socket
import threading
from types import TracebackType
from typing import Self


class Cable:
    """Listens on `port` and carries everything to and from 127.0.0.1:`to`, until it is pulled."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._pulled = threading.Event()
        self._ended = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        for end in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                end.close()

    def pull(self) -> None:
        """From now on both ends hear nothing of each other, not even that one is gone."""
        self._pulled.set()

    def plug_in(self) -> None:
        self._pulled.clear()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the end
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                self._sockets += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):  # an end was closed
            while not self._ended.is_set():
                if self._pulled.is_set():
                    self._ended.wait(0.02)
                    continue
                if not select.select([source], [], [], 0.02)[0] or self._pulled.is_set():
                    continue
                data = source.recv(65536)
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)
