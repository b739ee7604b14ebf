"""System Health: the verdict, the switch and its receipts, the figures, what happened when, the health log."""

import time
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from tripwire_admin_ui.api.calls import HistoryApi, SwitchedMeanwhile, SystemApi
from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.api.failures import ApiFailure, ApiUnreachable, FieldsRefused, NotAllowed, NotSignedIn
from tripwire_admin_ui.auth.guards import person
from tripwire_admin_ui.auth.kept_form import NOTHING_SENT, take_form
from tripwire_admin_ui.frame.history_cache import KeptHistory
from tripwire_admin_ui.frame.page_reader import PageReader
from tripwire_admin_ui.presenters.alert_answer import AlertAnswer, alert_answer, not_sent
from tripwire_admin_ui.presenters.cause_texts import cause
from tripwire_admin_ui.presenters.dependencies import dependencies
from tripwire_admin_ui.presenters.formatting import MODES, mode_name
from tripwire_admin_ui.presenters.metric_tiles import database_figures, queue_figures
from tripwire_admin_ui.presenters.mode_receipts import receipts
from tripwire_admin_ui.presenters.traffic_mode import traffic_mode
from tripwire_admin_ui.views.system_health_query import EVENT_TYPES, WINDOWS, health_view

EVENTS_SHOWN = 50
INCIDENTS_SHOWN = 4
INCIDENTS_ON_THEIR_PAGE = 50
DEPLOYS_SHOWN = 50
CONFLICT = "Not switched: someone else changed it first."
Page = str | tuple[str, int]


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
    health = _Health(api)

    @blueprint.get("/admin/system-health")
    def show() -> Page:
        asked = request.args.get("switch", "")
        return health.page(_asked(asked) if asked in MODES else None)

    @blueprint.post("/admin/system-health")
    def switch() -> Response | Page:
        return health.switch()

    @blueprint.get("/admin/system-health/test-alert")
    def back_from_test() -> Response:
        return redirect(url_for("system_health.show") + "#alerts")

    @blueprint.post("/admin/system-health/test-alert")
    def test_alert() -> Page:
        return health.page(answer=_send_test(health.system))

    @blueprint.get("/admin/system-health/incidents")
    def incidents() -> Page:
        return health.incidents(request.args.get("before", ""))

    @blueprint.get("/admin/system-health/deploys")
    def deploys() -> Page:
        return health.deploys()

    return blueprint


class _Health:
    """Reads the page's parts: what cannot be read leaves the rest."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self.system = SystemApi(api)
        self._past = HistoryApi(api)
        self._history = KeptHistory(self._past)

    def page(
        self, form: SwitchForm | None = None, answer: AlertAnswer | None = None, status: HTTPStatus = HTTPStatus.OK
    ) -> Page:
        reader, view = PageReader(self._api), health_view(request.args)
        token, query = reader.token, view.events_query(EVENTS_SHOWN)
        log = reader.ask(lambda: self._past.events(token, reader.budget, query))
        latest = reader.ask(lambda: self._past.incidents(token, reader.budget, INCIDENTS_SHOWN))
        last_day = reader.ask(lambda: self._past.availability(token, reader.budget))
        state = reader.state
        # What is kept is for people whom the API has just let in.
        known = state.mode is not None or state.metrics is not None
        charts = reader.ask(lambda: self._history.read(token, reader.budget, view.window, state)) if known else None
        events, found, availability = reader.read(log), reader.read(latest), reader.read(last_day)
        history = reader.read(charts) if charts else None
        page = reader.show(
            "system_health.html",
            in_parts=True,
            traffic=traffic_mode(state),
            dependencies=dependencies(state, availability),
            receipts=receipts(state.mode, state.read_at) if state.mode else None,
            queue_figures=queue_figures(state),
            database_figures=database_figures(state),
            history=history,
            windows=WINDOWS,
            incidents=found,
            cause=cause,
            answer=answer,
            events=events,
            event_types=EVENT_TYPES,
            events_shown=EVENTS_SHOWN,
            view=view,
            form=form,
            # The answer to a switch that was refused goes on as the page that asks for it.
            refresh_at=url_for("system_health.show", switch=form.mode) if form and form.mode in MODES else None,
            already=state.mode is not None and request.args.get("already") == state.mode.mode,
        )
        return (page, status) if isinstance(page, str) else page

    def incidents(self, before: str) -> Page:
        reader, place = PageReader(self._api), before if _is_number(before) else ""
        page = reader.ask(lambda: self._past.incidents(reader.token, reader.budget, INCIDENTS_ON_THEIR_PAGE, place))
        found = reader.read(page)
        return reader.show("incidents.html", in_parts=True, incidents=found, cause=cause, before=place)

    def deploys(self) -> Page:
        reader = PageReader(self._api)
        found = reader.read(reader.ask(lambda: self._past.deploys(reader.token, reader.budget, DEPLOYS_SHOWN)))
        return reader.show("deploys.html", in_parts=True, deploys=found.deploys if found else None)

    def switch(self) -> Response | Page:
        form = SwitchForm(request.form.get("mode", ""), request.form.get("reason", "").strip())
        version = request.form.get("version", "")
        if form.mode not in MODES or not _is_number(version):
            refused = _refused(form, FieldsRefused("mode or version is missing."))
            return self.page(refused, status=HTTPStatus.BAD_REQUEST)
        try:
            answer = self.system.switch(person().token, form.mode, form.reason, int(version))
        except SwitchedMeanwhile:
            conflict = SwitchForm(form.mode, form.reason, CONFLICT, stale_version=int(version))
            return self.page(conflict, status=HTTPStatus.CONFLICT)
        except (NotSignedIn, NotAllowed):
            raise
        except ApiFailure as failure:
            return self.page(_refused(form, failure), status=_status(failure))
        already = answer.mode if answer.previous_mode == answer.mode else None
        return redirect(url_for("system_health.show", already=already), HTTPStatus.SEE_OTHER)


def _asked(mode: str) -> SwitchForm:
    """The question; after a sign-in that came between with the reason, and it is asked again."""
    if not (kept := take_form()):
        return SwitchForm(mode)
    return SwitchForm(mode, kept.get("reason", ""), "Not switched.", NOTHING_SENT)


def _is_number(given: str) -> bool:
    """Of those that the API gives: as long as PostgreSQL's largest at most."""
    return given.isdecimal() and len(given) < 19


def _send_test(system: SystemApi) -> AlertAnswer:
    began = time.monotonic()
    try:
        answer = system.test_alert(person().token)
    except (NotSignedIn, NotAllowed):
        raise
    except ApiFailure as failure:
        return not_sent(failure)
    return alert_answer(answer, time.monotonic() - began)


def _refused(form: SwitchForm, failure: ApiFailure) -> SwitchForm:
    unsure = isinstance(failure, ApiUnreachable) and failure.may_have_arrived
    if unsure:
        words = f"The API did not answer in time. Look at the mode: it may be {mode_name(form.mode)} by now."
        return SwitchForm(form.mode, form.reason, "Not known whether it was switched.", words)
    return SwitchForm(form.mode, form.reason, "Not switched.", str(failure))


def _status(failure: ApiFailure) -> HTTPStatus:
    refused = isinstance(failure, FieldsRefused)
    return HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.SERVICE_UNAVAILABLE
