"""A form that was sent after the end of its session: its sender signs in, and finds what was typed on the form's page.

It waits encrypted in the session's cookie (`session_cookie.py`): nothing of it stands in an address, in a log or on the
server, it is gone with the browser, and it is for the same person alone. It is shown again, never sent by itself.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from flask import current_app, g, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from tripwire_admin_ui.auth.scripted_requests import QUEUE, is_refresh
from tripwire_admin_ui.auth.session_cookie import NO_NOTICE, KeptForm, owner_of

# Of what was typed, as JSON in UTF-8: with the rest of a session it fits into a cookie.
FIELDS_AT_MOST = 1_800
NOTHING_SENT = "Nothing was done: you were signed out before this was sent. Look at it, then send it again."
RETRY_FILTER = ("q", "mode", "manager_id", "when", "from", "to", "zone")


def given_csrf_token() -> str:
    """What a form sends along; a script sends it in a header, which no page of another origin can set."""
    return request.form.get("csrf_token") or request.headers.get("X-CSRFToken", "")


def keep_form() -> str:
    """Keeps what was sent, but for passwords, and gives the page that it belongs to."""
    page = page_of_form()
    g.session = replace(g.session, kept=KeptForm(page, owner_of(given_csrf_token()), _fields(), g.now))
    return page


def take_form() -> Mapping[str, str]:
    """What was typed into a form of this page before its sender signed in again; once. Empty: nothing was."""
    kept: KeptForm | None = g.session.kept
    if kept is None or is_refresh() or not _is_here(kept.page):
        return {}
    g.session = replace(g.session, kept=None, notice=NO_NOTICE)
    return kept.fields


def forget_shown_form() -> None:
    """Once its page has been shown it is of no use any more, whether that page has a form to fill or not."""
    kept: KeptForm | None = g.session.kept
    if kept and g.session.person and request.method == "GET" and not is_refresh() and _is_here(kept.page):
        g.session = replace(g.session, kept=None)


def page_of_form() -> str:
    """The page that shows the form of this POST: known for our questions, which may have stood in a dialog; else the
    one that it came from; else the nearest above its address. Always one that can be read."""
    known = PAGES.get(request.endpoint or "")
    if known is not None:
        return known(request.form, request.view_args or {})
    if request.blueprint == QUEUE:
        return url_for(f"{QUEUE}.queues_overview")
    came_from = urlsplit(request.referrer or "")
    if came_from.path.startswith("/admin") and _can_be_read(came_from.path):
        return came_from.path + (f"?{came_from.query}" if came_from.query else "")
    path = request.path
    while path.count("/") > 1 and not _can_be_read(path):
        path = path.rpartition("/")[0]
    return path if _can_be_read(path) else url_for("dashboard.show")


Given = Mapping[str, str]


def _of_switch(form: Given, _: Given) -> str:
    mode = form.get("mode", "")
    return url_for("system_health.show", switch=mode if mode in ("async_queue", "sync_direct") else None)


def _of_retry(form: Given, _: Given) -> str:
    wanted = {name: value for name in RETRY_FILTER if (value := form.get(name))}
    return url_for("requests.show", ask="retry", **wanted)  # type: ignore[arg-type]  # `from` and `to` are no options


def _of_new_link(form: Given, place: Given) -> str:
    if form.get("back") == "list":
        return url_for("customers.show")
    return url_for("one_customer.show", user_id=place["user_id"])


def _of_account(form: Given, place: Given) -> str:
    ask = None
    if place["what"] == "active" and form.get("active") == "no":
        ask = "deactivate"
    if place["what"] == "role":
        ask = "role"
    return url_for("staff.one", staff_id=place["staff_id"], ask=ask)


# By endpoint. What is not here is found by where it came from.
PAGES: Mapping[str, Callable[[Given, Given], str]] = {
    "system_health.switch": _of_switch,
    "system_health.test_alert": lambda *_: url_for("system_health.show"),
    "requests.retry_all": _of_retry,
    "new_customer.create": lambda *_: url_for("new_customer.enter"),
    "one_customer.new_link": _of_new_link,
    "one_customer.erase": lambda _, place: url_for("one_customer.show", user_id=place["user_id"], ask="erase"),
    "staff.add": lambda *_: url_for("staff.enter"),
    "staff.change": _of_account,
    "tokens.make": lambda _, place: url_for("staff.one", staff_id=place["staff_id"], ask="token"),
    "tokens.revoke": lambda _, place: url_for(
        "staff.one", staff_id=place["staff_id"], ask="revoke", token=place["token_id"]
    ),
}


def _fields() -> dict[str, str]:
    """Short ones first: what does not fit is left out, and typed again."""
    typed = {name: value for name, value in request.form.items() if name != "csrf_token" and "password" not in name}
    kept: dict[str, str] = {}
    for name, value in sorted(typed.items(), key=lambda item: len(item[1])):
        if len(json.dumps({**kept, name: value}, ensure_ascii=False).encode()) <= FIELDS_AT_MOST:
            kept[name] = value
    return kept


def _is_here(page: str) -> bool:
    parts = urlsplit(page)
    return parts.path == request.path and parse_qsl(parts.query) == list(request.args.items(multi=True))


def _can_be_read(path: str) -> bool:
    try:
        current_app.url_map.bind("").match(path, method="GET")
    except RequestRedirect:
        return True
    except HTTPException:
        return False
    return True
