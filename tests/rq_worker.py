"""RQ's worker inside the process of the tests, which keeps its name and its signal handlers."""

from rq import SimpleWorker


class WorkerOfTests(SimpleWorker):
    def _install_signal_handlers(self) -> None:
        return

    def procline(self, message: str) -> None:
        return
