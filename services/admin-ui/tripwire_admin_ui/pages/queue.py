"""The Queue page where there is no queue to show: Redis is away, or the admin UI has not been told where it is."""

from flask import render_template

from tripwire_admin_ui.access import person
from tripwire_admin_ui.api_client import ApiClient
from tripwire_admin_ui.system_state import read_system_state
from tripwire_admin_ui.verdict import verdict
from tripwire_admin_ui.way import way


def queue_is_away(api: ApiClient, *, configured: bool) -> str:
    state = read_system_state(api, person().token)
    return render_template(
        "queue_away.html", state=state, verdict=verdict(state, person().email), way=way(state), configured=configured
    )
