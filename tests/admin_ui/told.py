"""What the API tells, as the admin UI's pure parts get it: the stand-in's usual answers, some fields a test's."""

from typing import Any

import msgspec

from tests.admin_ui.stand_in_api import State
from tripwire_shared.answers.requests import RequestItem
from tripwire_shared.answers.system import Metrics, ModeReport

AT = "2026-11-24T12:00:00Z"


def metrics_told(**fields: Any) -> Metrics:
    return msgspec.convert({**State().metrics, "measured_at": AT, **fields}, Metrics)


def mode_told(**fields: Any) -> ModeReport:
    return msgspec.convert({**State().mode, "processes": [], **fields}, ModeReport)


def request_told(row: dict[str, Any]) -> RequestItem:
    return msgspec.convert(row, RequestItem)
