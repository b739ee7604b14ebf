"""The floor under a drain: claim and provision in sets, by one connection, without RQ, processes and polls.

On a database of its own on the same server, so that no API process takes the mails up meanwhile.
"""

import multiprocessing
import time
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.postgres import ROLE
from tests.attempts import attempt_due
from tests.bench.processor_time import tree_seconds
from tests.bench.servers import Servers, execute
from tests.conftest import migrate
from tests.resources import Resources, build_resources
from tripwire_shared.logs import configure_logging
from tripwire_shared.provisioning.provision import Outcome
from tripwire_shared.settings import load_settings

SET, WARM_UP, CUSTOMERS = 50, 250, 5_000
DATABASE = "floor"
WAITING = f"""
INSERT INTO staff (id, email, full_name, role) VALUES (gen_random_uuid(), 'manager@example.com', 'Manager', 'sales');
INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, mode, answer, due_at)
SELECT gen_random_uuid(), 'floor' || n || '@example.com', 'Anna K.', 5000, 'KZT', (SELECT id FROM staff), 'async', 202,
       now()
FROM generate_series(1, {WARM_UP + CUSTOMERS}) n"""


@dataclass(frozen=True)
class Floor:
    """`client_ms`, `postgres_ms`: processor time of a customer."""

    per_second: float
    client_ms: float
    postgres_ms: float


def measure(servers: Servers) -> Floor:
    """In a process of its own, since what a service builds sets limits for its whole process."""
    administration = servers.postgres.superuser_url()
    execute(administration, f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
    try:
        url = servers.postgres.url_of(DATABASE)
        migrate(url)
        execute(url, WAITING)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            environ = {**servers.stack.environ, "DATABASE_URL": url}
            return pool.apply(_measure, (environ, servers.postgres.child.pid))
    finally:
        execute(administration, f"DROP DATABASE {DATABASE} WITH (FORCE)")


def _measure(environ: Mapping[str, str], postgres_pid: int) -> Floor:
    settings = load_settings(environ=environ, dotenv=None)
    configure_logging("worker", settings.log_level, settings.log_format)
    resources = build_resources(settings, service="worker")
    try:
        for _ in range(WARM_UP // SET):
            provision_set(resources)
        began, client, postgres = time.perf_counter(), time.process_time(), tree_seconds(postgres_pid)
        made = 0
        while provisioned := provision_set(resources):
            made += provisioned
        took = time.perf_counter() - began
        client, postgres = time.process_time() - client, tree_seconds(postgres_pid) - postgres
    finally:
        resources.stop()
    if made != CUSTOMERS:
        raise AssertionError(f"the floor made {made} customers of {CUSTOMERS}")
    return Floor(CUSTOMERS / took, 1000 * client / CUSTOMERS, 1000 * postgres / CUSTOMERS)


def provision_set(resources: Resources) -> int:
    """Claims up to SET requests and provisions them; how many became customers."""
    attempts = attempt_due(resources, SET)
    return sum(attempt.outcome is Outcome.PROVISIONED for attempt in attempts)
