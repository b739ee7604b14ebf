"""The Queue page where there is no queue to show: Redis is away, or the admin UI has not been told where it is."""

from flask import render_template

from tripwire_admin_ui.auth.guards import person
from tripwire_admin_ui.presenters.status_summary import verdict
from tripwire_admin_ui.presenters.system_state import SystemState
from tripwire_admin_ui.presenters.traffic_mode import traffic_mode


def queue_is_away(state: SystemState, *, configured: bool) -> str:
    return render_template(
        "queue_away.html",
        state=state,
        verdict=verdict(state, person().email),
        traffic=traffic_mode(state),
        configured=configured,
    )
