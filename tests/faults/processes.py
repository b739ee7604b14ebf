"""Which processes a service has, and what can be done to them."""

import contextlib
import signal
from collections.abc import Iterable

import psutil

from deploy.local.child import Child
from deploy.local.postgres import PostgresServer


def api_processes(api: Child) -> list[psutil.Process]:
    """gunicorn's processes, without their parent."""
    return _below(api.pid, deep=False)


def sweep_of(service: Child) -> psutil.Process | None:
    """The worker service's sweep process; None while it is being started."""
    return _child(service, "tripwire-sweep")


def worker_of(service: Child) -> psutil.Process | None:
    """The worker service's RQ worker; None while it is being started."""
    return _child(service, "tripwire-worker")


def whole(service: Child) -> list[psutil.Process]:
    """The service with everything below it."""
    return [psutil.Process(service.pid), *_below(service.pid, deep=True)]


def send(number: signal.Signals, processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def freeze(server: PostgresServer) -> None:
    """Stops the postmaster and then its backends: connections stay open, new ones are taken in, nobody answers."""
    send(signal.SIGSTOP, [psutil.Process(server.child.pid)])  # first: it can start no further backend
    send(signal.SIGSTOP, _below(server.child.pid, deep=True))


def thaw(server: PostgresServer) -> None:
    send(signal.SIGCONT, whole(server.child))


def crash(server: PostgresServer) -> None:
    """PostgreSQL's immediate stop: no checkpoint, no farewell to the sessions; the next start recovers."""
    server.child.signal(signal.SIGQUIT)
    assert server.child.wait(10) is not None


def process_connected_from(port: int, candidates: Iterable[psutil.Process]) -> psutil.Process | None:
    """The one whose connection the server sees coming from `port`."""
    for process in candidates:
        with contextlib.suppress(psutil.Error):
            if any(connection.laddr.port == port for connection in process.net_connections("tcp")):
                return process
    return None


def _child(service: Child, name: str) -> psutil.Process | None:
    return next((child for child in _below(service.pid, deep=False) if _is(child, name)), None)


def _is(process: psutil.Process, name: str) -> bool:
    try:
        return _alive(process) and process.name() == name
    except psutil.Error:
        return False


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _below(pid: int, *, deep: bool) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=deep))
    except psutil.NoSuchProcess:
        return []
