"""gunicorn's own lines, those of its parent too, go the way of all others (`logs.py`)."""

from typing import Any

from gevent.hub import Hub
from gunicorn.glogging import Logger

from tripwire_shared.logs import configure_logging, log_uncaught
from tripwire_shared.settings import Settings


class GunicornLog(Logger):  # type: ignore[misc]  # gunicorn is not typed
    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


def configure_server_logging(service: str, settings: Settings) -> None:
    """For gunicorn's parent; its children set up their own."""
    configure_logging(service, settings.log_level, settings.log_format)
    Hub.print_exception = _log_greenlet  # which prints the error's text


def _log_greenlet(_: Hub, context: object, __: object, error: BaseException | None, ___: object) -> None:
    if error is not None:
        log_uncaught(type(context).__name__, error)
