"""Entering a new customer by a form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from tripwire_admin_ui.api.calls import CustomersApi
from tripwire_admin_ui.api.client import ApiClient, Budget
from tripwire_admin_ui.api.failures import (
    ApiFailure,
    Conflict,
    EmailTaken,
    FieldsRefused,
    KeyInUse,
    KeyReused,
    NotAllowed,
    NotSignedIn,
    NotThere,
)
from tripwire_admin_ui.auth.guards import person
from tripwire_admin_ui.auth.kept_form import NOTHING_SENT, take_form
from tripwire_admin_ui.auth.session_cookie import leave_notice
from tripwire_admin_ui.frame.page_reader import PageReader

FIELDS = ("email", "full_name", "price", "currency")
KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
MOST_DIGITS = 18  # A price of as many is too high already, which the API says.
STILL_ANSWERED = "The same form is being answered right now. Send it again in a moment: no duplicates are created."
SENT_BEFORE = "It was sent before with other entries, which may have arrived. Send it again if these are right."


def new_key() -> str:
    return token_urlsafe(16)


@dataclass(frozen=True)
class Holder:
    """Whose the e-mail is already: a link, or words alone."""

    words: str
    address: str = ""


@dataclass(frozen=True)
class Form:
    """What was typed, what was wrong with it, and the key under which it is sent."""

    given: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    key: str = field(default_factory=new_key)
    holder: Holder | None = None


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("new_customer", __name__)
    customers = CustomersApi(api)

    @blueprint.get("/admin/customers/new")
    def enter() -> str | tuple[str, int]:
        kept = take_form()
        if not kept:
            return _page(api, Form())
        return _page(api, Form(kept, {"": NOTHING_SENT}, kept.get("key") or new_key()))

    @blueprint.post("/admin/customers/new")
    def create() -> Response | tuple[str, int]:
        given = {name: request.form.get(name, "").strip() for name in FIELDS}
        key = request.form.get("key", "")
        if not KEY.fullmatch(key):  # of no form of ours
            key = new_key()
        try:
            made = customers.create(person().token, _fields(given), key)
        except (NotSignedIn, NotAllowed):
            raise
        except ApiFailure as failure:
            form, status = _refused(customers, given, key, failure)
            page = _page(api, form)
            return (page, status) if isinstance(page, str) else page
        said = "is being created" if made.user_id is None else "is created"
        leave_notice("Accepted", f"{made.email} {said}.")
        return redirect(url_for("one_request.show", request_id=made.request_id), HTTPStatus.SEE_OTHER)

    return blueprint


def _page(api: ApiClient, form: Form) -> str | tuple[str, int]:
    return PageReader(api).show("new_customer.html", form=form)


def _refused(
    customers: CustomersApi, given: Mapping[str, str], key: str, failure: ApiFailure
) -> tuple[Form, HTTPStatus]:
    """The form again. Corrected, it is another request and gets another key; what may have arrived keeps its own."""
    match failure:
        case KeyInUse():
            return Form(given, {"": STILL_ANSWERED}, key), HTTPStatus.CONFLICT
        case EmailTaken():
            return Form(given, {"email": str(failure)}, holder=_holder(customers, failure)), HTTPStatus.CONFLICT
        case Conflict():
            return Form(given, {"": str(failure)}), HTTPStatus.CONFLICT
        case KeyReused():
            return Form(given, {"": SENT_BEFORE}), HTTPStatus.UNPROCESSABLE_ENTITY
        case FieldsRefused():
            return Form(given, failure.errors or {"": str(failure)}), HTTPStatus.UNPROCESSABLE_ENTITY
    words = f"{failure} Send it again: with the same entries no duplicates are created."
    return Form(given, {"": words}, key), HTTPStatus.SERVICE_UNAVAILABLE


def _fields(given: Mapping[str, str]) -> dict[str, Any]:
    """As the API takes them: what is empty is left to its defaults. Raises FieldsRefused."""
    fields: dict[str, Any] = {name: value for name, value in given.items() if value}
    if "price" in fields:
        if not fields["price"].isdecimal():
            raise FieldsRefused("price", {"price": "Enter a whole number."})
        fields["price"] = int(fields["price"].lstrip("0")[:MOST_DIGITS] or "0")
    return fields


def _holder(customers: CustomersApi, taken: EmailTaken) -> Holder | None:
    """None where the person may not see whose it is."""
    if taken.request_id:
        return Holder("See the request", url_for("one_request.show", request_id=taken.request_id))
    if not taken.user_id:
        return None
    try:
        customers.one(person().token, Budget(), taken.user_id)
    except NotThere:
        return Holder("It is a sign-in account that is no customer here.")
    except ApiFailure:
        pass  # the page of the customer says why
    return Holder("See the customer", url_for("one_customer.show", user_id=taken.user_id))
