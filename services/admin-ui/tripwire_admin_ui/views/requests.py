"""Requests: the list with its filters, and retrying all failed ones that match."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from tripwire_admin_ui.api.calls import RequestsApi, StaffApi
from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.auth.guards import for_admins_page, person
from tripwire_admin_ui.auth.scripted_requests import is_refresh
from tripwire_admin_ui.auth.session_cookie import leave_notice
from tripwire_admin_ui.frame.later_rows import later_query, rows_query, shown_until, until_newest
from tripwire_admin_ui.frame.list_filters import SPANS, ListFilter, read_filter
from tripwire_admin_ui.frame.page_reader import PageReader
from tripwire_admin_ui.presenters.formatting import number
from tripwire_shared.answers.requests import Retried
from tripwire_shared.answers.vocabulary import RequestStatus

SHOWN = 50
FIELDS = ("q", "mode", "manager_id")
MODES = {"": "Any mode", "async": "Queue", "sync": "Direct", "fallback": "Fallback"}
TABS = (
    ("", "All"),
    ("accepted", "In progress"),
    ("provisioned", "Provisioned"),
    ("duplicate", "Duplicate"),
    ("failed", "Failed"),
)


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("requests", __name__)
    requests, staff = RequestsApi(api), StaffApi(api)

    @blueprint.get("/admin/requests")
    def show() -> str | tuple[str, int]:
        wanted = _filter(request.args)
        reader = PageReader(api)
        until = shown_until(request.args.get("until", ""), wanted)
        asked = reader.ask(lambda: requests.page(reader.token, reader.budget, rows_query(wanted, until, SHOWN)))
        query = later_query(wanted, until)
        later = reader.ask(lambda: requests.page(reader.token, reader.budget, query)) if until else None
        # A refresh leaves the form with the managers as it is, so it need not ask for them.
        choosing = person().is_admin and not is_refresh()
        everybody = reader.ask(lambda: staff.everybody(reader.token, reader.budget)) if choosing else None
        found, newer = reader.read(asked), reader.read(later) if later else None
        newest = found.requests[0].accepted_at if found and found.requests else None
        people = reader.read(everybody) if everybody else ()
        return reader.show(
            "requests.html",
            wanted=wanted,
            found=found,
            newer=newer.total if newer else 0,
            until=until or until_newest(newest, wanted),
            people=people or (),
            spans=SPANS,
            modes=MODES,
            tabs=TABS,
            asked=request.args.get("ask") == "retry" and person().is_admin,
        )

    @blueprint.post("/admin/requests/retry")
    def retry_all() -> Response | str | tuple[str, int]:
        """Takes up one batch. The page's script sends it again until nothing is left; without it, a person does."""
        if not person().is_admin:
            return for_admins_page()
        wanted = _filter(request.form)
        count, done = (_whole(request.form.get(name, "")) for name in ("count", "done"))
        answer = requests.retry_all(person().token, wanted.matching(datetime.now(UTC)))
        taken = done + answer.retried
        # What fails anew matches anew: no more are queued for retry than were confirmed.
        goes_on = bool(answer.retried and answer.remaining and taken < count)
        scripted = request.accept_mimetypes.best == "application/json"
        if goes_on and not scripted:
            return render_template("retry_goes_on.html", wanted=wanted, count=count, taken=taken)
        address = url_for("requests.show", **dict[str, Any](wanted.args(status="")))
        if not goes_on:
            leave_notice(*_outcome(taken, answer))
        if scripted:
            return jsonify(taken=taken, goes_on=goes_on, address=address)
        return redirect(address, HTTPStatus.SEE_OTHER)

    return blueprint


def _filter(given: Mapping[str, str]) -> ListFilter:
    return read_filter(given, tuple(RequestStatus), FIELDS)


def _whole(given: str) -> int:
    return int(given) if given.isdecimal() and len(given) < 10 else 0


def _outcome(taken: int, answer: Retried) -> tuple[str, str]:
    title = (
        "No request queued for retry"
        if not taken
        else f"{number(taken)} {'request' if taken == 1 else 'requests'} queued for retry"
    )
    refused = f"{number(answer.refused)} refused: the email has been taken meanwhile." if answer.refused else ""
    return title, refused or ("Each goes on where it stopped." if taken else "None is failed any more.")
