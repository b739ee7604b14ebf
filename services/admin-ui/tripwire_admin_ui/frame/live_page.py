"""Pages that renew themselves: rendered whole, or as the fragment that the page's script asks for."""

from http import HTTPStatus

from flask import render_template

from tripwire_admin_ui.api.failures import ApiTooSlow, ApiUnreachable
from tripwire_admin_ui.auth.guards import person
from tripwire_admin_ui.auth.scripted_requests import is_refresh
from tripwire_admin_ui.presenters.status_summary import verdict
from tripwire_admin_ui.presenters.system_state import SystemState


def not_renewed(failure: ApiUnreachable) -> tuple[str, int]:
    """What a refresh gets without the API; refresh.js knows the two statuses."""
    slow = isinstance(failure, ApiTooSlow)
    return "", HTTPStatus.GATEWAY_TIMEOUT if slow else HTTPStatus.SERVICE_UNAVAILABLE


def live_page(template: str, state: SystemState, **context: object) -> str | tuple[str, int]:
    """`template` with the system's state and, for admins, the verdict.

    A refresh without the API changes nothing: what is shown stays, marked old.
    """
    if state.api_away and is_refresh():
        return not_renewed(state.api_away)
    reader = person()
    words = verdict(state, reader.email) if reader.is_admin else None
    return render_template(template, state=state, verdict=words, **context)
