"""The page behind a welcome mail's link: GET shows a form, POST sets the password (so mail scanners do not eat it)."""

from collections.abc import Mapping
from gettext import NullTranslations
from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request

from tripwire_shared.answers.vocabulary import Language
from tripwire_shared.errors import DatabaseUnavailable, NotFound
from tripwire_shared.few_at_once import FewAtOnce, TooManyAtOnce
from tripwire_shared.intake.request_rules import PASSWORD_AT_LEAST, PASSWORD_AT_MOST, password_problem
from tripwire_shared.languages.catalogue import Academy, catalogue
from tripwire_shared.provisioning.invitation import InvitationOver, Invitations, InvitationState

CSP = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
# Each in its own language, in this order.
LANGUAGES = {Language.KAZAKH: "Қазақша", Language.RUSSIAN: "Русский", Language.ENGLISH: "English"}


class Page:
    """The page in the customers' languages; `?lang=` is the reader's choice."""

    def __init__(self, academy: Academy) -> None:
        self._academy = academy
        self._catalogues: Mapping[Language, NullTranslations] = {language: catalogue(language) for language in Language}

    def messages(self) -> NullTranslations:
        return self._catalogues[self._language()]

    def show(self, status: HTTPStatus, heading: str, text: str = "", **shown: object) -> Response:
        language, messages = self._language(), self.messages()
        page = render_template(
            "invitation.html", heading=heading, text=text, language=language.value, languages=LANGUAGES,
            at_least=PASSWORD_AT_LEAST, at_most=PASSWORD_AT_MOST,
            _=messages.gettext, **self._academy.words(messages), **shown,
        )  # fmt: skip
        response = make_response(page, status)
        response.headers["Content-Security-Policy"] = CSP
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Language"] = language.value
        return response

    def form(self, status: HTTPStatus, problem: str = "") -> Response:
        heading = self.messages().pgettext("heading", "Choose a password")
        return self.show(status, heading, form=True, problem=problem)

    def over(self, state: InvitationState) -> Response:
        """For a link that was good once."""
        _ = self.messages().gettext
        match state:
            case InvitationState.EXPIRED:
                words = _("This link has expired"), _("Ask your manager for a new one.")
            case InvitationState.REVOKED:
                latest = _("Open the latest one, from your email or from your manager.")
                words = _("There is a newer link"), latest
            case _other:
                set_already = _(
                    "The password is set: sign in with it. If you did not set it yourself, tell us at once."
                )
                words = _("This link has already been used"), set_already
        return self.show(HTTPStatus.GONE, *words, may_sign_in=state is InvitationState.USED)

    def unknown(self) -> Response:
        _ = self.messages().gettext
        text = _("Perhaps it was not copied whole. Open it from the email once more.")
        return self.show(HTTPStatus.NOT_FOUND, _("This link does not work"), text)

    def not_now(self) -> Response:
        """The database is away; the link is not used up."""
        _ = self.messages().gettext
        text = _("The page could not be loaded just now.")
        response = self.show(HTTPStatus.SERVICE_UNAVAILABLE, _("Please try again in a minute"), text)
        response.headers["Retry-After"] = "60"
        return response

    def done(self) -> Response:
        _ = self.messages().gettext
        text = _("You can now sign in with your email address and this password.")
        return self.show(HTTPStatus.OK, _("Your password is saved"), text, may_sign_in=True)

    def _language(self) -> Language:
        wanted = request.args.get("lang", "")
        return Language(wanted) if wanted in set(Language) else self._academy.language


def blueprint(invitations: Invitations, hashing: FewAtOnce, academy: Academy) -> Blueprint:
    """Public: the link itself is the key. It is never logged, and no address is told where the reader came from."""
    routes = Blueprint("invitations", __name__, url_prefix="/invitations", template_folder="templates",
                       static_folder="static", static_url_path="/static")  # fmt: skip
    page = Page(academy)
    routes.register_error_handler(DatabaseUnavailable, lambda _: page.not_now())

    def why_not(token: str) -> Response | None:
        """The page for a link that cannot be used; None for a good one."""
        try:
            invitation = invitations.open(token)
        except NotFound:
            return page.unknown()
        return None if invitation.state is InvitationState.OPEN else page.over(invitation.state)

    @routes.get("/<token>")
    def show(token: str) -> Response:
        return why_not(token) or page.form(HTTPStatus.OK)

    @routes.post("/<token>")
    def choose(token: str) -> Response:
        if (refused := why_not(token)) is not None:
            return refused
        problem = _problem(page.messages())
        if problem:
            return page.form(HTTPStatus.UNPROCESSABLE_ENTITY, problem)
        return _set_password(invitations, hashing, page, token)

    return routes


def _problem(messages: NullTranslations) -> str:
    """What is wrong with the password that was sent; empty where nothing is."""
    _ = messages.gettext
    password = request.form.get("password", "")
    if len(password) < PASSWORD_AT_LEAST:
        return _("The password must have at least 8 characters.")
    if len(password) > PASSWORD_AT_MOST:
        return _("The password must have at most 128 characters.")
    if password_problem(password) is not None:
        return _("This password cannot be used.")
    return "" if password == request.form.get("password_again", password) else _("The passwords do not match.")


def _set_password(invitations: Invitations, hashing: FewAtOnce, page: Page, token: str) -> Response:
    try:
        with hashing.one():
            invitations.consume(token, request.form["password"])
    except TooManyAtOnce:
        return page.form(HTTPStatus.TOO_MANY_REQUESTS, page.messages().gettext("Please try again in a minute"))
    except InvitationOver:  # somebody was faster
        return page.over(InvitationState.USED)
    return page.done()
