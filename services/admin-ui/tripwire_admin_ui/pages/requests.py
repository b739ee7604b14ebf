"""Requests: the list with its filters, and retrying all failed ones that match."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from tripwire_admin_ui.access import for_admins_page, person
from tripwire_admin_ui.api_client import ApiClient
from tripwire_admin_ui.api_requests import STATES, RequestPage, RequestsApi, RetryAnswer
from tripwire_admin_ui.api_staff import StaffApi
from tripwire_admin_ui.filters import SPANS, ListFilter, read_filter
from tripwire_admin_ui.page_reader import PageReader
from tripwire_admin_ui.refresh import is_refresh
from tripwire_admin_ui.session_cookie import leave_notice
from tripwire_admin_ui.wording import number

SHOWN = 50
FIELDS = ("q", "mode", "manager_id")
MODES = {"": "Any mode", "async": "Queue", "sync": "Direct", "fallback": "Fallback"}
TABS = (
    ("", "All"),
    ("accepted", "Under way"),
    ("provisioned", "Provisioned"),
    ("duplicate", "Duplicate"),
    ("failed", "Failed"),
)
# PostgreSQL's times are whole microseconds: one more than the newest row's is after it, and before any later one.
JUST_AFTER = timedelta(microseconds=1)


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("requests", __name__)
    requests, staff = RequestsApi(api), StaffApi(api)

    @blueprint.get("/admin/requests")
    def show() -> str | tuple[str, int]:
        wanted = _filter(request.args)
        reader = PageReader(api)
        since = _since(request.args.get("since", ""), wanted)
        asked = reader.ask(lambda: requests.page(reader.token, reader.budget, _query(wanted, since)))
        later = reader.ask(lambda: requests.page(reader.token, reader.budget, _newer(wanted, since))) if since else None
        # A refresh leaves the form with the managers as it is, so it need not ask for them.
        choosing = person().is_admin and not is_refresh()
        everybody = reader.ask(lambda: staff.everybody(reader.token, reader.budget)) if choosing else None
        found, newer = reader.read(asked), reader.read(later) if later else None
        people = reader.read(everybody) if everybody else ()
        return reader.show(
            "requests.html",
            wanted=wanted,
            found=found,
            newer=(newer.total or 0) if newer else 0,
            since=since or _after_newest(found, wanted),
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
        # What fails anew matches anew: no more are taken up than were confirmed.
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
    return read_filter(given, STATES, FIELDS)


def _since(given: str, wanted: ListFilter) -> str:
    """The end of what a page shows that renews itself: later requests are counted, not pushed in. Empty: none yet."""
    if wanted.cursor:
        return ""
    try:
        return datetime.fromisoformat(given).isoformat()
    except ValueError:
        return ""


def _after_newest(found: RequestPage | None, wanted: ListFilter) -> str:
    newest = found.requests[0].accepted_at if found and found.requests else None
    return (newest + JUST_AFTER).isoformat() if newest and not wanted.cursor else ""


def _query(wanted: ListFilter, since: str) -> dict[str, str]:
    query = dict(wanted.query(datetime.now(UTC), SHOWN))
    return query | ({"to": since} if since and "to" not in query else {})


def _newer(wanted: ListFilter, since: str) -> dict[str, str]:
    return {**wanted.query(datetime.now(UTC), 1), "from": since}


def _whole(given: str) -> int:
    return int(given) if given.isdecimal() and len(given) < 10 else 0


def _outcome(taken: int, answer: RetryAnswer) -> tuple[str, str]:
    title = (
        "No request taken up" if not taken else f"{number(taken)} {'request' if taken == 1 else 'requests'} taken up"
    )
    refused = f"{number(answer.refused)} refused: the e-mail has been taken meanwhile." if answer.refused else ""
    return title, refused or ("Each goes on where it stopped." if taken else "None is failed any more.")
