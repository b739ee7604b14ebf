"""Staff: everybody on the left, the chosen person with their tokens on the right."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from tripwire_admin_ui.api.calls import StaffApi
from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.api.failures import ApiFailure, Conflict, FieldsRefused, NotThere
from tripwire_admin_ui.auth.guards import is_self, person
from tripwire_admin_ui.auth.kept_form import NOTHING_SENT, take_form
from tripwire_admin_ui.auth.session_cookie import leave_notice
from tripwire_admin_ui.frame.page_reader import PageReader
from tripwire_shared.answers.staff import ListedMember, MadeToken, StaffMember

ROLES = {"sales": "Sales", "admin": "Admin"}
ASKABLE = ("deactivate", "revoke", "token", "password", "role", "own-role")


@dataclass(frozen=True)
class Form:
    """A form of this page that stands open: what was typed, and what was wrong with it."""

    name: str
    given: Mapping[str, str]
    errors: Mapping[str, str]


class StaffPage:
    """Renders the page; the tokens' routes show it too."""

    def __init__(self, api: ApiClient) -> None:
        self._api, self._staff = api, StaffApi(api)

    def show(self, staff_id: UUID | None, form: Form, made: MadeToken | None = None) -> str | tuple[str, int]:
        """`made` is a token that was just made: the only page that ever shows it."""
        reader = PageReader(self._api)
        everybody = reader.ask(lambda: self._staff.everybody(reader.token, reader.budget))
        theirs = reader.ask(lambda: self._staff.tokens(reader.token, reader.budget, staff_id)) if staff_id else None
        chosen = _find(people := reader.read(everybody), staff_id)
        tokens = reader.read(theirs) if theirs and chosen else None
        return reader.show(
            "staff.html",
            people=people,
            chosen=chosen,
            tokens=tokens.tokens if tokens else None,
            form=form,
            made=made,
            roles=ROLES,
            only_active=request.args.get("show") == "active",
            asked_token=request.args.get("token", ""),
            own=chosen is not None and is_self(chosen.id),
        )

    def refused(self, staff_id: UUID | None, name: str, failure: ApiFailure) -> tuple[str, int]:
        """The page with the form `name` open again, and what was wrong."""
        given = {field: value for field, value in request.form.items() if field not in ("csrf_token", "password")}
        errors = failure.errors if isinstance(failure, FieldsRefused) and failure.errors else {"": str(failure)}
        page = self.show(staff_id, Form(name, given, errors))
        status = HTTPStatus.CONFLICT if isinstance(failure, Conflict) else HTTPStatus.UNPROCESSABLE_ENTITY
        return (page, status) if isinstance(page, str) else page


def _find(people: tuple[ListedMember, ...] | None, staff_id: UUID | None) -> ListedMember | None:
    if staff_id is None or people is None:
        return None
    for member in people:
        if member.id == staff_id:
            return member
    raise NotThere("There is nobody with this number.")


def asked_form() -> Form:
    """The form that the address asks for, with what was typed before a sign-in that came between."""
    asked, kept = request.args.get("ask", ""), take_form()
    given = kept or {"role": request.args.get("role", "")}
    return Form(asked if asked in ASKABLE else "", given, {"": NOTHING_SENT} if kept else {})


def to_person(staff_id: object) -> Response:
    return redirect(url_for("staff.one", staff_id=staff_id), HTTPStatus.SEE_OTHER)


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("staff", __name__)
    page, staff = StaffPage(api), StaffApi(api)

    @blueprint.get("/admin/staff")
    def show() -> str | tuple[str, int]:
        return page.show(None, Form("", {}, {}))

    @blueprint.get("/admin/staff/new")
    def enter() -> str | tuple[str, int]:
        kept = take_form()
        return page.show(None, Form("new", kept, {"": NOTHING_SENT} if kept else {}))

    @blueprint.post("/admin/staff/new")
    def add() -> Response | tuple[str, int]:
        names = ("email", "full_name", "role", "password")
        fields = {name: value for name in names if (value := request.form.get(name, ""))}
        try:
            member = staff.add(person().token, fields)
        except (FieldsRefused, Conflict) as failure:
            return page.refused(None, "new", failure)
        leave_notice(
            f"{member.full_name} is added", "" if "password" in fields else "Set a password, so that they can sign in."
        )
        return to_person(member.id)

    @blueprint.get("/admin/staff/<uuid:staff_id>")
    def one(staff_id: UUID) -> str | tuple[str, int]:
        return page.show(staff_id, asked_form())

    @blueprint.post("/admin/staff/<uuid:staff_id>/<any(full_name, role, password, active):what>")
    def change(staff_id: UUID, what: str) -> Response | tuple[str, int]:
        return _change(page, staff, staff_id, what)

    return blueprint


def _change(page: StaffPage, staff: StaffApi, staff_id: UUID, what: str) -> Response | tuple[str, int]:
    given = request.form.get(what, "")
    if what == "role" and _asks_first(staff_id, given):
        question = url_for("staff.one", staff_id=staff_id, ask="own-role", role=given)
        return redirect(question, HTTPStatus.SEE_OTHER)
    try:
        member = staff.change(person().token, staff_id, {what: given == "yes" if what == "active" else given})
    except (FieldsRefused, Conflict) as failure:
        return page.refused(staff_id, "deactivate" if what == "active" else what, failure)
    leave_notice(*_changed(member, what))
    if is_self(staff_id) and member.role != "admin":  # this page is not for them any more
        return redirect(url_for("customers.show"), HTTPStatus.SEE_OTHER)
    return to_person(staff_id)


def _asks_first(staff_id: UUID, role: str) -> bool:
    """Whoever gives up the own role cannot take it back."""
    return is_self(staff_id) and role in ROLES and role != person().role and "sure" not in request.form


def _changed(member: StaffMember, what: str) -> tuple[str, str]:
    if what == "role":
        return f"{member.full_name} has the role {ROLES.get(member.role, member.role)} now", ""
    if what == "full_name":
        return f"The name is {member.full_name} now", ""
    if what == "password":
        return f"{member.full_name} has a new password", "Who was signed in with the old one is signed out."
    return f"{member.full_name} is {'active again' if member.active else 'deactivated'}", ""
