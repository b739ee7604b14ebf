"""The front page: the state of the system for admins; sales begins with its own customers."""

from http import HTTPStatus

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from tripwire_admin_ui.api.calls import ActivityApi, HistoryApi, StaffApi
from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.auth.guards import person
from tripwire_admin_ui.auth.scripted_requests import is_refresh
from tripwire_admin_ui.frame.history_cache import KeptHistory
from tripwire_admin_ui.frame.page_reader import PageReader
from tripwire_admin_ui.presenters.activity_texts import sentence
from tripwire_admin_ui.presenters.attention import needs_attention
from tripwire_admin_ui.presenters.chart_columns import columns
from tripwire_admin_ui.presenters.dependencies import dependencies, share_up

ENTRIES_SHOWN = 5


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("dashboard", __name__)
    past, staff, activity = HistoryApi(api), StaffApi(api), ActivityApi(api)
    history = KeptHistory(past)

    @blueprint.get("/admin")
    def show() -> Response | str | tuple[str, int]:
        if not person().is_admin:
            if is_refresh():  # an admin until a moment ago: the page is loaded anew
                return "", HTTPStatus.UNAUTHORIZED
            return redirect(url_for("customers.show"))
        reader = PageReader(api)
        token = reader.token
        everybody = reader.ask(lambda: staff.everybody(token, reader.budget))
        latest = reader.ask(lambda: activity.page(token, reader.budget, {"limit": str(ENTRIES_SHOWN)}))
        last_day = reader.ask(lambda: past.availability(token, reader.budget))
        state = reader.state
        # What is kept is for people whom the API has just let in.
        of_day = reader.ask(lambda: history.read(token, reader.budget, "24h", state)) if state.metrics else None
        people, entries, availability = reader.read(everybody), reader.read(latest), reader.read(last_day)
        day = reader.read(of_day) if of_day else None
        names = {str(one.id): one.email for one in people or ()}
        return reader.show(
            "dashboard.html",
            in_parts=True,
            dependencies=dependencies(state, availability),
            redis_up=share_up(availability, "redis"),
            columns=columns(day) if day else None,
            people=people,
            attention=needs_attention(state),
            entries=[(entry, sentence(entry, names)) for entry in entries.activity] if entries else None,
        )

    return blueprint
