"""Pages that renew themselves: rendered whole, or as the fragment that the page's script asks for."""

from http import HTTPStatus

from flask import render_template

from tripwire_admin_ui.access import person
from tripwire_admin_ui.refresh import is_refresh
from tripwire_admin_ui.system_state import SystemState
from tripwire_admin_ui.verdict import verdict


def live_page(template: str, state: SystemState, **context: object) -> str | tuple[str, int]:
    """`template` with the system's state and, for admins, the verdict.

    A refresh without the API gets 503: what is shown stays, marked old.
    """
    if state.api_away and is_refresh():
        return "", HTTPStatus.SERVICE_UNAVAILABLE
    reader = person()
    words = verdict(state, reader.email) if reader.is_admin else None
    return render_template(template, state=state, verdict=words, **context)
