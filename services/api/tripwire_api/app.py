"""The API, put together: the table of contents. Each blueprint stands under the guard of all its routes."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask
from flask_smorest import Api
from flask_smorest import Blueprint as DocumentedBlueprint
from werkzeug.exceptions import HTTPException

from tripwire_api.http.access import Guard, admin_only, public, staff_only
from tripwire_api.http.meter import RequestMeter
from tripwire_api.http.problems import http_problem, register_problems
from tripwire_api.http.request_hooks import RequestHooks
from tripwire_api.parts import ApiParts
from tripwire_api.routes import (
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
from tripwire_api.system_metrics import SystemMetrics
from tripwire_shared.activity.activity_list import ActivityList
from tripwire_shared.deploys.deploys import Deploys
from tripwire_shared.metrics.exposition import BuildInfo
from tripwire_shared.metrics.provisioning_figures import ProvisioningFigures
from tripwire_shared.postgres.write_probe import WriteProbe
from tripwire_shared.rate_limit import RateLimit
from tripwire_shared.sales.sales_figures import SalesFigures

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


def create_app(parts: ApiParts) -> Flask:
    app = TripwireApi("tripwire_api", static_folder=None)  # it would add a route without a guard
    app.config.update(
        API_TITLE="Tripwire Sales Manager",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        PROPAGATE_EXCEPTIONS=False,
        TRAP_HTTP_EXCEPTIONS=False,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    guards: dict[str, Guard] = {}
    app.extensions[GUARDS] = guards
    api = ProblemApi(app)
    register_problems(app)
    core, settings = parts.core, parts.core.settings
    meter = RequestMeter(core.database, parts.breaker, parts.request_queue, BuildInfo("api", core.settings.version))
    RequestHooks(guards, meter, core.tracer, says_answers=settings.log_level == "debug").register(app)

    activity, proxies = ActivityList(core.database), settings.trusted_proxies
    waits = parts.long_waits
    probe = WriteProbe(core.database)
    provisioning_figures = ProvisioningFigures(core.database, parts.measured_minutes)
    figures = SystemMetrics(
        provisioning_figures, core.outbox, core.incidents, parts.incident_history, parts.breaker, parts.request_queue,
        probe=probe, telegram_configured=settings.telegram_configured, smtp_configured=bool(settings.smtp_url),
    )  # fmt: skip
    sales_or_admin = staff_only(parts.tokens, RateLimit(settings.api_rate_limit), proxies)
    admin = admin_only(sales_or_admin)
    contents: dict[Guard, list[Blueprint]] = {
        sales_or_admin: [
            customers.blueprint(
                parts.intake, parts.customers, parts.customer_changes, parts.erasure, parts.request_list,
                activity,
            ),
            sales.blueprint(SalesFigures(core.database), activity, settings.time_zone),
            requests.blueprint(parts.request_list, core.requests, waits),
            sessions.session_blueprint(parts.tokens),
        ],
        admin: [
            staff.blueprint(parts.staff, parts.tokens, parts.hashing),
            system.blueprint(parts.mode_store, parts.mode_cache, figures, core.health_log, parts.telegram),
            system_history.blueprint(
                provisioning_figures, parts.incident_history, parts.mode_store, Deploys(core.database, core.health_log)
            ),
            queue_changes.blueprint(core.database, core.activity),
        ],
        public: [
            sessions.login_blueprint(parts.sign_in, parts.sign_ins, proxies),
            invitations.blueprint(core.invitations, parts.hashing, core.academy),
            probes.blueprint(probe, parts.breaker, parts.request_queue, meter),
            documentation.blueprint(api),
        ],
    }  # fmt: skip
    for guard, blueprints in contents.items():
        for blueprint in blueprints:
            _register(app, api, blueprint, guard)
    return app


def _register(app: Flask, api: ProblemApi, blueprint: Blueprint, guard: Guard) -> None:
    app.extensions[GUARDS][blueprint.name] = guard
    if isinstance(blueprint, DocumentedBlueprint):
        api.register_blueprint(blueprint)
    else:
        app.register_blueprint(blueprint)
