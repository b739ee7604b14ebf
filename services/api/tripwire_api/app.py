"""The API, put together: the table of contents. Each blueprint stands beside the guard of all its routes."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask
from flask_smorest import Api
from flask_smorest import Blueprint as DocumentedBlueprint
from werkzeug.exceptions import HTTPException

from tripwire_api import (
    customers,
    documentation,
    invitations,
    probes,
    queue_changes,
    requests,
    sales,
    sessions,
    staff,
    system,
    system_history,
)
from tripwire_api.access import Guard, admin_only, public, staff_only
from tripwire_api.body_rules import check_texts
from tripwire_api.client_request import register_request_rules
from tripwire_api.meter import RequestMeter, register_meter
from tripwire_api.problems import http_problem, register_problems
from tripwire_api.sales_store import SalesStore
from tripwire_api.system_store import SystemStore
from tripwire_shared.resources import Resources

# Where a test finds the guard of each blueprint.
GUARDS = "tripwire_guards"


class TripwireApi(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No view or hook here is a coroutine. Flask asks that of each of them in each request, 13 times an accept."""
        return func


class ProblemApi(Api):  # type: ignore[misc]  # flask-smorest is not typed
    """flask-smorest, whose errors are problem documents."""

    ERROR_SCHEMA = documentation.ProblemSchema

    def handle_http_exception(self, error: HTTPException) -> Any:
        return http_problem(error)


def create_app(resources: Resources) -> Flask:
    app = TripwireApi("tripwire_api", static_folder=None)  # it would add a route without a guard
    app.config.update(
        API_TITLE="Tripwire Sales Manager",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        PROPAGATE_EXCEPTIONS=False,
        TRAP_HTTP_EXCEPTIONS=False,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.extensions[GUARDS] = {}
    register_request_rules(app)
    api = ProblemApi(app)
    register_problems(app)
    meter = RequestMeter(resources)
    register_meter(app, meter)

    sales_store = SalesStore(resources.database)
    system_store = SystemStore(resources.database, resources.measured_minutes)
    sales_or_admin = staff_only(resources)
    admin = admin_only(sales_or_admin)
    for blueprint, guard in (
        (customers.blueprint(resources, sales_store), sales_or_admin),
        (sales.blueprint(sales_store), sales_or_admin),
        (requests.blueprint(resources), sales_or_admin),
        (sessions.session_blueprint(resources), sales_or_admin),
        (staff.blueprint(resources), admin),
        (system.blueprint(resources, system_store), admin),
        (system_history.blueprint(resources, system_store), admin),
        (queue_changes.blueprint(resources.database), admin),
        (sessions.login_blueprint(resources), public),
        (invitations.blueprint(resources), public),
        (probes.blueprint(resources, meter), public),
        (documentation.blueprint(api), public),
    ):
        _register(app, api, blueprint, guard)
    return app


def _register(app: Flask, api: ProblemApi, blueprint: Blueprint, guard: Guard) -> None:
    if guard is not public:
        blueprint.before_request(guard)
    blueprint.before_request(check_texts)
    app.extensions[GUARDS][blueprint.name] = guard
    if isinstance(blueprint, DocumentedBlueprint):
        api.register_blueprint(blueprint)
    else:
        app.register_blueprint(blueprint)
