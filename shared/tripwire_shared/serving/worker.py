"""gunicorn's gevent worker, made such that a slow client is its own problem.

Each connection has a greenlet. What waits for its client costs a few kilobytes and holds nobody up: one that is silent,
one that sends half a request, one that does not read its answer or does not go. Each of these waits has a limit. A
request goes into the application when it is here as a whole, header and body, and stands in line for a place there
(`places.py`).
"""

import contextlib
import os
import time
from contextlib import nullcontext
from typing import Any, NoReturn

import gevent
from gevent import Greenlet, socket
from gunicorn import util
from gunicorn.http import get_parser
from gunicorn.http.errors import NoMoreData
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker

from tripwire_shared.serving.body import keep_apart, read_body
from tripwire_shared.serving.places import PLACE, Places
from tripwire_shared.serving.refusals import RequestTooSlow, refusal_of
from tripwire_shared.serving.stopping import STOPPING
from tripwire_shared.timings import (
    ACCEPT_RETRY_PAUSE,
    ANSWER_TAKEN_WITHIN,
    LAST_WORD_LINGER,
    REQUEST_READ_LIMIT,
    STOP_IDLE_LINGER,
    STOP_LOOK,
    WORKER_HEARTBEAT_TO_PARENT,
)

# Of answers that a client does not read so much lies in the system; left alone it would keep megabytes for each client.
UNREAD_AT_MOST = 128 * 1024
# Of what a client still sends after it was answered and closed.
LAST_WORDS_AT_MOST = 1024 * 1024


class CooperativeWorker(GeventWorker):  # type: ignore[misc]  # gunicorn is not typed
    """`threads` of gunicorn's settings is the number of places, `worker_connections` that of connections.

    All of it runs in one thread, whose greenlets change only where they wait: between two waits nothing that is read
    or written here is changed by another.
    """

    sockets: list[Any]
    wsgi: Any

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._connections: set[Greenlet] = set()
        # Those that wait for their client, the longest first, and since when; those inside are not among them.
        self._waiting: dict[Greenlet, float] = {}
        # Of these, those from which no byte of a next request has come.
        self._idle: set[Greenlet] = set()
        # Those whose request came together with the one before; not those whose next one is only quickly here.
        self._ahead: set[Greenlet] = set()

    def patch(self) -> None:
        """gunicorn's own would patch the standard library here, which is too late: see `cooperative.py`."""
        self.sockets = [
            socket.socket(listener.FAMILY, socket.SOCK_STREAM, fileno=listener.sock.detach())
            for listener in self.sockets
        ]

        for listener in self.sockets:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD_AT_MOST)  # its connections inherit it

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self._application = self.wsgi
        self._places = Places(self.cfg.threads)
        # For all who asked again before they were answered: each of them would have its turn before somebody who comes.
        self._lane = Places(1)
        self.wsgi = self._inside

    def notify(self) -> None:
        super(GeventWorker, self).notify()
        if self.ppid != os.getppid():  # gunicorn's parent is dead: what is under way is answered, then this ends
            self.alive = False

    def run(self) -> None:
        doors = [gevent.spawn(self._let_in, listener) for listener in self.sockets]
        while self.alive:
            self.notify()
            self._await_signal()
        STOPPING.set()
        gevent.killall(doors)
        for listener in self.sockets:
            self._close_the_door(listener)
        self._finish()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Not gunicorn's, which quotes path and headers in the log and in the answer."""
        refusal = refusal_of(exc)
        if refusal.status == 500:
            self.log.error("unexpected error before the application", exc_info=exc)
        with contextlib.suppress(OSError):  # who sent it may be gone
            util.write_error(client, refusal.status, refusal.title, refusal.detail)

    def _await_signal(self) -> None:
        """Returns when one came; the parent wants to hear from us now and then."""
        with contextlib.suppress(TimeoutError):
            socket.wait_read(self.PIPE[0], timeout=WORKER_HEARTBEAT_TO_PARENT)
        with contextlib.suppress(BlockingIOError):
            os.read(self.PIPE[0], 4096)

    def _let_in(self, listener: Any) -> NoReturn:
        while True:
            try:
                self._welcome(listener, *listener.accept())
            except OSError as error:  # no file descriptor left, or the client is gone already
                self.log.warning("a connection could not be taken in: %s", error)
                gevent.sleep(ACCEPT_RETRY_PAUSE)
            gevent.sleep(0)  # one at a time: the other processes take theirs

    def _welcome(self, listener: Any, client: Any, address: Any) -> None:
        if len(self._connections) >= self.worker_connections and not self._turn_one_away():
            client.close()
            return
        connection = Greenlet(self._serve, listener.getsockname(), client, address)
        self._connections.add(connection)
        self._waiting[connection] = time.monotonic()
        connection.start()

    def _turn_one_away(self) -> bool:
        """Whoever has kept us waiting for longest makes room; False where all are inside."""
        longest = next(iter(self._waiting), None)
        if longest is None:
            return False
        self._forget(longest)
        longest.kill(block=False)
        return True

    def _forget(self, connection: Greenlet) -> None:
        self._connections.discard(connection)
        self._waiting.pop(connection, None)
        self._idle.discard(connection)
        self._ahead.discard(connection)

    def _serve(self, listener_name: Any, client: Any, address: Any) -> None:
        """One connection, from its first byte to its end."""
        me, request = gevent.getcurrent(), None
        try:
            parser = get_parser(self.cfg, client, address)
            while self._speaks(me, parser, client):
                client.settimeout(ANSWER_TAKEN_WITHIN)
                with gevent.Timeout(REQUEST_READ_LIMIT, RequestTooSlow()):
                    request = next(parser)
                    read_body(request, client)
                keep_apart(request)
                # Not GeventWorker's, which says nothing of a connection that is to be closed.
                AsyncWorker.handle_request(self, listener_name, request, client, address)
                request = None
        except (StopIteration, NoMoreData):  # answered for the last time, or gone in the middle of a request
            util.close_graceful(client, LAST_WORD_LINGER, LAST_WORDS_AT_MOST)
        except OSError as error:
            self.log.debug("a client is gone, or did not take its answer: %s", error)
        except Exception as error:
            self.handle_error(request, client, address, error)
            util.close_graceful(client, LAST_WORD_LINGER, LAST_WORDS_AT_MOST)
        finally:
            self._forget(me)
            client.close()

    def _speaks(self, me: Greenlet, parser: Any, client: Any) -> bool:
        """Waits for the first bytes of a request, which the parser then has; False where none come."""
        gevent.sleep(0)  # nothing else would let the others go on where the next request is here already
        self._ahead.discard(me)
        if not parser.unreader.buf.getvalue():
            first = self._first_bytes(me, parser, client)
            parser.unreader.unread(first)
            return bool(first)
        self._ahead.add(me)
        return True

    def _first_bytes(self, me: Greenlet, parser: Any, client: Any) -> bytes:
        size: int = parser.unreader.mxchunk
        client.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            here: bytes = client.recv(size)
            return here
        client.settimeout(self.cfg.keepalive)
        self._idle.add(me)
        try:
            first: bytes = client.recv(size)
        finally:
            self._idle.discard(me)
        self._wait_anew(me)
        return first

    def _inside(self, environ: Any, start_response: Any) -> Any:
        """The application, as gunicorn calls it. Its answer is written outside again."""
        me = gevent.getcurrent()
        self._waiting.pop(me, None)
        try:
            with self._lane.one() if me in self._ahead else nullcontext(), self._places.one() as place:
                environ[PLACE] = place
                return self._application(environ, start_response)
        finally:
            self._wait_anew(me)

    def _wait_anew(self, me: Greenlet) -> None:
        self._waiting.pop(me, None)
        self._waiting[me] = time.monotonic()

    def _close_the_door(self, listener: Any) -> None:
        """Those that the kernel has taken in are served; from then on a client is refused at once, so that it (or the
        proxy before us) knows that nothing happened and asks another instance. At a reload the socket lives on in the
        parent and in the new processes, and nobody is refused."""
        listener.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._welcome(listener, *listener.accept())
        listener.close()

    def _finish(self) -> None:
        """Answers what is under way. Those who were told that they may go on have a moment for a next request, which is
        answered with `Connection: close`."""
        give_up_at = time.monotonic() + self.cfg.graceful_timeout
        while self._connections and time.monotonic() < give_up_at:
            self.notify()
            over = time.monotonic() - STOP_IDLE_LINGER
            gevent.killall([idle for idle in self._idle if self._waiting[idle] < over], block=False)
            gevent.sleep(STOP_LOOK)
        gevent.killall(list(self._connections), timeout=STOP_IDLE_LINGER)
