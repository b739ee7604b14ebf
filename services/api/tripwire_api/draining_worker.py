"""gunicorn's threaded worker, which closes the door at the right moment when it stops.

gunicorn itself answers what is under way, says `Connection: close`, and gives kept-alive connections two seconds more.
But it holds the listening socket open meanwhile without accepting: the kernel goes on taking connections in, and all
of them are reset at the end. Here those that are in already are served, and from then on a client is refused at once,
so that it (or the proxy before us) knows that nothing happened and asks another instance. At a reload the socket lives
on in the parent and in the new workers, and nobody is refused.
"""

from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from tripwire_api.stopping import STOPPING


class DrainingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn is not typed
    def handle_exit(self, sig: int, frame: Any) -> None:
        STOPPING.set()
        super().handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            self._close_the_door()

    def _close_the_door(self) -> None:
        for listener in self.sockets:
            while self._took_one(listener):
                pass
            listener.close()

    def _took_one(self, listener: object) -> bool:
        before = self.nr_conns
        self.accept(listener)
        return bool(self.nr_conns > before)
