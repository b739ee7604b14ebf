"""A Sentinel of a few lines: what real ones say only for a moment, or when they are broken, it says as told."""

import contextlib
import socketserver
import threading

MASTER = "tripwire"


class SentinelStandIn:
    """`port` names the master, 0: it knows none, None: it is silent. `asked`: how often it was."""

    def __init__(self, port: int | None, *, refuses: bool = False) -> None:
        self.master_port, self.asked, self.greeted = port, 0, b""
        stand_in = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    while data := self.request.recv(4096):
                        if b"AUTH" in data:
                            stand_in.greeted = data
                            self.request.sendall(b"-WRONGPASS no such pair\r\n" if refuses else b"+OK\r\n")
                        elif (answer := stand_in._answer()) is not None:
                            self.request.sendall(answer)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.own_port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self) -> bytes | None:
        self.asked += 1
        if self.master_port is None:
            return None
        port = str(self.master_port).encode()
        return b"*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%s\r\n" % (len(port), port) if self.master_port else b"*-1\r\n"


def url_of(*sentinels: SentinelStandIn, password: str, scheme: str = "redis", query: str = "") -> str:
    hosts = ",".join(f"127.0.0.1:{sentinel.own_port}" for sentinel in sentinels)
    return f"{scheme}+sentinel://:{password}@{hosts}/{MASTER}/0{query}"
