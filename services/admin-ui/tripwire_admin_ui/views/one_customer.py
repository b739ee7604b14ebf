"""One customer: facts, sale, requests and history; changing status and name, new links, and erasing the person."""

from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from tripwire_admin_ui.api.calls import CustomersApi
from tripwire_admin_ui.api.client import ApiClient, Budget
from tripwire_admin_ui.api.failures import FieldsRefused, TooSoon
from tripwire_admin_ui.auth.guards import for_admins_page, person
from tripwire_admin_ui.auth.kept_form import NOTHING_SENT, take_form
from tripwire_admin_ui.auth.session_cookie import leave_notice
from tripwire_admin_ui.frame.page_reader import PageReader
from tripwire_admin_ui.presenters.activity_texts import sentence
from tripwire_admin_ui.views.new_link import send_new_link, too_soon
from tripwire_shared.answers.customers import CustomerDetail
from tripwire_shared.answers.vocabulary import CustomerStatus
from tripwire_shared.email_address import normalised_email


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("one_customer", __name__)
    customers = CustomersApi(api)

    @blueprint.get("/admin/customers/<uuid:user_id>")
    def show(user_id: UUID) -> str | tuple[str, int]:
        reader = PageReader(api)
        found = reader.read(reader.ask(lambda: customers.one(reader.token, reader.budget, user_id)))
        asked = request.args.get("ask") == "erase" and person().is_admin and found is not None and not found.erased
        kept = take_form() if asked else {}
        return _page(reader, found, asked=asked, error=NOTHING_SENT if kept else "", typed=kept.get("email", ""))

    @blueprint.post("/admin/customers/<uuid:user_id>/status")
    def set_status(user_id: UUID) -> Response:
        status = request.form.get("status", "")
        customers.change(person().token, user_id, {"status": status})
        leave_notice(f"Now {status}", "")
        return _to(user_id)

    @blueprint.post("/admin/customers/<uuid:user_id>/erase")
    def erase(user_id: UUID) -> Response | str | tuple[str, int]:
        if not person().is_admin:
            return for_admins_page()
        found = _read(customers, user_id)
        if normalised_email(request.form.get("email", "")) != normalised_email(found.email):
            reader = PageReader(api)
            error = "This is not the email of this customer. Nothing was erased."
            page = _page(reader, found, asked=True, error=error)
            return (page, HTTPStatus.UNPROCESSABLE_ENTITY) if isinstance(page, str) else page
        customers.erase(person().token, user_id)
        leave_notice("The personal data is erased", "The sale stays.")
        return _to(user_id)

    _add_changes(blueprint, api, customers)
    return blueprint


def _add_changes(blueprint: Blueprint, api: ApiClient, customers: CustomersApi) -> None:
    """The name, and new links."""

    @blueprint.post("/admin/customers/<uuid:user_id>/name")
    def correct_name(user_id: UUID) -> Response | str | tuple[str, int]:
        name = request.form.get("full_name", "").strip()
        try:
            customers.change(person().token, user_id, {"full_name": name})
        except FieldsRefused as failure:
            error = failure.errors.get("full_name", str(failure))
            page = _page(PageReader(api), _read(customers, user_id), name_error=error, name=name)
            return (page, HTTPStatus.UNPROCESSABLE_ENTITY) if isinstance(page, str) else page
        leave_notice("The name is corrected", "")
        return _to(user_id)

    @blueprint.get("/admin/customers/<uuid:user_id>/link")
    def after_link(user_id: UUID) -> Response:
        """Where a reload of the page with a new link leads: none is made."""
        return _to(user_id)

    @blueprint.post("/admin/customers/<uuid:user_id>/link")
    def make_link(user_id: UUID) -> Response | str | tuple[str, int]:
        """The answer itself shows the link: a redirect would have to carry it."""
        try:
            made = customers.make_link(person().token, user_id)
        except TooSoon as failure:
            leave_notice(*too_soon(failure))
            return _to(user_id)
        return _page(PageReader(api), _read(customers, user_id), made=made)

    @blueprint.post("/admin/customers/<uuid:user_id>/new-link")
    def new_link(user_id: UUID) -> Response:
        found = _read(customers, user_id)
        leave_notice(*send_new_link(customers, found.user_id, found.email))
        from_list = request.form.get("back") == "list"
        return redirect(url_for("customers.show"), HTTPStatus.SEE_OTHER) if from_list else _to(user_id)


def _read(customers: CustomersApi, user_id: UUID) -> CustomerDetail:
    return customers.one(person().token, Budget(), user_id)


def _page(reader: PageReader, found: CustomerDetail | None, **form: Any) -> str | tuple[str, int]:
    """`form`: what a form on it asks, was given or made."""
    shown: dict[str, Any] = {
        "asked": False,
        "error": "",
        "typed": "",
        "name": None,
        "name_error": "",
        "made": None,
        **form,
    }
    statuses, told = tuple(CustomerStatus), partial(sentence, names={})
    return reader.show("one_customer.html", found=found, statuses=statuses, sentence=told, **shown)


def _to(user_id: UUID) -> Response:
    return redirect(url_for("one_customer.show", user_id=user_id), HTTPStatus.SEE_OTHER)
