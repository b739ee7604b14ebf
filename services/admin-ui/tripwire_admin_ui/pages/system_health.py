"""System Health: the verdict, the switch and its receipts, the figures, the health log."""

from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from tripwire_admin_ui.access import person
from tripwire_admin_ui.api_client import (
    ApiClient,
    ApiFailure,
    ApiUnreachable,
    FieldsRefused,
    NotAllowed,
    NotSignedIn,
    SwitchedMeanwhile,
)
from tripwire_admin_ui.figures import database_figures, queue_figures
from tripwire_admin_ui.live_page import live_page
from tripwire_admin_ui.parts import parts
from tripwire_admin_ui.system_state import SystemState, read_system_state
from tripwire_admin_ui.way import way
from tripwire_admin_ui.wording import MODES, mode_name

EVENTS_SHOWN = 50
EVENT_TYPES = ("INFO", "WARNING", "ERROR", "CRITICAL", "SWITCH")


@dataclass(frozen=True)
class SwitchForm:
    """The question before a switch; after a refused one with `title` and `explanation`, and the reason kept."""

    mode: str
    reason: str = ""
    title: str = ""
    explanation: str = ""
    stale_version: int | None = None


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("system_health", __name__)

    @blueprint.get("/admin/system-health")
    def show() -> str | tuple[str, int]:
        asked = request.args.get("switch", "")
        state = _read(api)
        return _page(state, SwitchForm(asked) if asked in MODES and state.mode else None)

    @blueprint.post("/admin/system-health")
    def switch() -> Response | str | tuple[str, int]:
        form = SwitchForm(request.form.get("mode", ""), request.form.get("reason", "").strip())
        version = request.form.get("version", "")
        if form.mode not in MODES or not version.isdecimal():
            return _page(
                _read(api), _refused(form, FieldsRefused("mode or version is missing.")), HTTPStatus.BAD_REQUEST
            )
        try:
            answer = api.switch(person().token, form.mode, form.reason, int(version))
        except SwitchedMeanwhile:
            conflict = SwitchForm(form.mode, form.reason, CONFLICT, stale_version=int(version))
            return _page(_read(api), conflict, HTTPStatus.CONFLICT)
        except (NotSignedIn, NotAllowed):
            raise
        except ApiFailure as failure:
            return _page(_read(api), _refused(form, failure), _status(failure))
        already = answer.mode if answer.previous_mode == answer.mode else None
        return redirect(url_for("system_health.show", already=already), HTTPStatus.SEE_OTHER)

    return blueprint


CONFLICT = "Not switched: someone else was faster."


def _read(api: ApiClient) -> SystemState:
    return read_system_state(api, person().token, EVENTS_SHOWN, _event_type())


def _event_type() -> str:
    wanted = request.args.get("type", "")
    return wanted if wanted in EVENT_TYPES else ""


def _refused(form: SwitchForm, failure: ApiFailure) -> SwitchForm:
    unsure = isinstance(failure, ApiUnreachable) and failure.may_have_arrived
    if unsure:
        words = f"The API did not answer in time. Look at the mode: it may be {mode_name(form.mode)} by now."
        return SwitchForm(form.mode, form.reason, "Not known whether it was switched.", words)
    return SwitchForm(form.mode, form.reason, "Not switched.", str(failure))


def _status(failure: ApiFailure) -> HTTPStatus:
    refused = isinstance(failure, FieldsRefused)
    return HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.SERVICE_UNAVAILABLE


def _page(state: SystemState, form: SwitchForm | None, status: HTTPStatus | None = None) -> str | tuple[str, int]:
    already = state.mode is not None and request.args.get("already") == state.mode.mode
    page = live_page(
        "system_health.html",
        state,
        way=way(state),
        parts=parts(state),
        queue_figures=queue_figures(state),
        database_figures=database_figures(state),
        form=form,
        already=already,
        event_types=EVENT_TYPES,
        event_type=_event_type(),
    )
    return (page, status) if status and isinstance(page, str) else page
