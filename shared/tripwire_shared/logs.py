"""Structured logs on standard output: one JSON object a line, or readable lines under `make run`.

Every line of a process goes this way, those of libraries and of errors that nobody caught too: so each names its
service, and none holds personal data (`log_text.py`).
"""

import io
import logging
import sys
import threading
from collections.abc import Mapping
from typing import Any

import structlog

from tripwire_shared.log_text import hidden, loggable, said, traceback_text

_OUR_PACKAGES = ("tripwire_shared", "tripwire_api", "tripwire_worker", "tripwire_admin_ui")
# The renderers' own business.
_META = frozenset({"_record", "_from_structlog"})


def configure_logging(service: str, level: str, log_format: str) -> None:
    """Sets up structlog and the standard library's loggers for this process. Call once, at start; a child process
    that is another service calls it again."""

    def name_service(_: Any, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
        # Here, and not bound to a context: each thread and each greenlet has its own.
        line["service"] = service
        return line

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        name_service,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(traceback_text),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
    # A terminal or a pipe of another encoding: what it cannot show is escaped, and nothing is lost.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(_without_texts_of_errors)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[_hide, structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # At level debug libraries tell addresses, statements and bodies: that level is for our own.
    root.setLevel(max(logging.INFO, logging.getLevelNamesMapping()[level.upper()]))
    for package in _OUR_PACKAGES:
        logging.getLogger(package).setLevel(level.upper())
    logging.captureWarnings(True)
    _log_what_nobody_caught()


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose keyword arguments become fields of the line. Never pass e-mails, passwords or tokens."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger


def log_uncaught(where: str, error: BaseException) -> None:
    """An error that ended a thread, a greenlet or a process: what Python itself would print, with its text."""
    get_logger(__name__).error("an error that nobody caught", where=where, exc_info=error)


def _log_what_nobody_caught() -> None:
    def of_process(_: type[BaseException], error: BaseException, __: Any) -> None:
        if isinstance(error, KeyboardInterrupt):
            return
        log_uncaught("process", error)

    def of_thread(ended: threading.ExceptHookArgs) -> None:
        if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
            log_uncaught(ended.thread.name if ended.thread else "thread", ended.exc_value)

    def of_object(ignored: Any) -> None:
        if ignored.exc_value is not None:
            log_uncaught("object", ignored.exc_value)

    sys.excepthook, threading.excepthook, sys.unraisablehook = of_process, of_thread, of_object


def _hide(_: Any, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """The last before the renderer, so that nothing passes it by."""
    for name, value in line.items():
        if name not in _META:
            line[name] = hidden(value) if type(value) is str else loggable(value)
    return line


def _without_texts_of_errors(record: logging.LogRecord) -> bool:
    """Libraries put errors into their sentences (`"failed: %s", error`)."""
    message: Any = record.msg
    if isinstance(message, BaseException):
        record.msg, record.args = "%s", (said(message),)
    elif isinstance(record.args, tuple):
        record.args = tuple(said(part) if isinstance(part, BaseException) else part for part in record.args)
    elif isinstance(record.args, Mapping):
        record.args = {
            name: said(part) if isinstance(part, BaseException) else part for name, part in record.args.items()
        }
    return True
