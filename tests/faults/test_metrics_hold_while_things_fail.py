"""/metrics of API and worker service: summed over processes, honest while Redis, PostgreSQL or a process is gone."""

import os
import signal
import time

import psutil
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.data_folder import free_port
from deploy.local.postgres import PostgresServer
from deploy.local.valkey import ValkeyServer
from tests.sales_manager import Manager
from tests.stack import Stack
from tests.waiting import wait_until
from tripwire_shared.timings import SCRAPE_KEPT

Figures = dict[str, float]


def scrape(url: str) -> Figures:
    """Each sample by its name and labels: `tripwire_incident_open{cause="mail failing"}`."""
    answer = requests.get(f"{url}/metrics", timeout=5)
    assert answer.status_code == 200
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/metrics", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def unknown(value: float) -> bool:
    return value != value  # NaN


CREATES = 'tripwire_creates_total{mode="%s",status="%d"}'


@pytest.fixture
def worker_url(stack: Stack, own_valkey: ValkeyServer, own_postgres: PostgresServer) -> str:
    port = free_port()
    stack.environ |= {
        "REDIS_URL": own_valkey.url,
        "DATABASE_URL": own_postgres.url,
        "WORKER_METRICS_PORT": str(port),
        "WORKER_RATE_LIMIT": "0",
    }
    stack.start_api(processes=3)
    stack.start_worker()
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(url), 40, what="the sweep process' /metrics")
    return url


def test_figures_over_all_processes_and_all_faults(
    stack: Stack, own_valkey: ValkeyServer, own_postgres: PostgresServer, worker_url: str
) -> None:
    token = stack.log_in()
    Manager(stack.api_url, token).wait_for_workers()
    accepted = [Manager(stack.api_url, token).create() for _ in range(12)]  # each on a connection of its own
    manager = Manager(stack.api_url, token)
    for answer in accepted:
        manager.wait_for(answer.json()["request_id"], "provisioned")
    assert manager.create(email="no address").status_code == 422

    for _ in range(5):  # whichever process answers, it speaks for all
        figures = scrape(stack.api_url)
        assert figures[CREATES % ("async", 202)] == 12
        assert figures[CREATES % ("refused", 422)] == 1
        assert figures["tripwire_breaker_open"] == 0
    assert figures["tripwire_oldest_request_seconds"] == 0
    assert figures["tripwire_mode_version"] == figures["tripwire_mode_version_obeyed"] == 1
    assert figures['tripwire_incident_open{cause="queue unavailable"}'] == 0
    assert figures['tripwire_provisioned_seconds{mode="async",quantile="0.95"}'] > 0
    assert unknown(figures['tripwire_provisioned_seconds{mode="fallback",quantile="0.95"}'])
    attempts = 'tripwire_attempts_total{door="queue",outcome="provisioned"}'
    assert scrape(worker_url)[attempts] == 12, "five processes of the pool together"

    own_valkey.stop()
    assert manager.create().status_code == 201
    wait_until(lambda: scrape(stack.api_url)['tripwire_incident_open{cause="queue unavailable"}'] == 1)
    time.sleep(SCRAPE_KEPT)  # whichever process answers, what it kept for others is older than the outage no more
    for figures in (scrape(stack.api_url), scrape(worker_url)):
        assert figures["tripwire_redis_up"] == 0
        assert unknown(figures['tripwire_queue_jobs{state="waiting"}']), "unknown, not 0"
        assert figures["tripwire_database_up"] == 1
    assert scrape(stack.api_url)["tripwire_breaker_open"] >= 1
    assert scrape(stack.api_url)[CREATES % ("fallback", 201)] == 1

    _kill_one_process_of(stack)
    wait_until(lambda: scrape(stack.api_url)[CREATES % ("async", 202)] == 12, what="what a dead process counted stays")

    own_valkey.start()
    wait_until(lambda: scrape(stack.api_url)["tripwire_breaker_open"] == 0, what="no dead process' breaker counts")

    own_postgres.stop()
    time.sleep(SCRAPE_KEPT)
    began = time.monotonic()
    figures = scrape(stack.api_url)
    assert time.monotonic() - began < 2
    assert figures["tripwire_database_up"] == 0
    assert unknown(figures["tripwire_oldest_request_seconds"])
    assert unknown(figures['tripwire_incident_open{cause="queue unavailable"}'])
    assert scrape(worker_url)[attempts] == 12
    own_postgres.start()
    wait_until(lambda: scrape(stack.api_url)["tripwire_database_up"] == 1)


def _kill_one_process_of(stack: Stack) -> None:
    api = next(child for child in stack.children if child.name == "api")
    processes = psutil.Process(api.pid).children()
    os.kill(processes[0].pid, signal.SIGKILL)
    wait_until(lambda: len({one.pid for one in psutil.Process(api.pid).children()} - {processes[0].pid}) == 3, 10)
