"""Rounds of fifty POSTs of one e-mail address at once: a promise, under load. A broken one ends the benchmark."""

import statistics
from collections import Counter
from uuid import uuid4

from tests.bench import calls
from tests.bench.load import all_at_once
from tests.bench.report import Figure, Report
from tests.bench.servers import Servers
from tests.invariants import assert_nothing_broken, count

ROUNDS, POSTS = 20, 50


def measure(servers: Servers, report: Report) -> None:
    servers.empty()
    with servers.worker():
        _measure(servers, report)


def _measure(servers: Servers, report: Report) -> None:
    statuses: Counter[int] = Counter()
    slowest = []
    for _ in range(ROUNDS):
        creates = calls.Creates(servers.token, email=f"{uuid4().hex}@example.com")
        answers = all_at_once(servers.api_port, creates, POSTS).only(202, 409)
        if answers.statuses[202] != 1:
            raise AssertionError(f"one address, {answers.statuses[202]} accepted")
        statuses += answers.statuses
        slowest.append(answers.ms(100))
    servers.wait_until_provisioned(ROUNDS, 30)
    url = servers.postgres.url
    assert_nothing_broken(url)
    customers, sales = count(url, "SELECT count(*) FROM tripwire_users"), count(url, "SELECT count(*) FROM sales")
    if (customers, sales) != (ROUNDS, ROUNDS):
        raise AssertionError(f"{ROUNDS} addresses made {customers} customers and {sales} sales")
    report.add(
        f"{ROUNDS} rounds of {POSTS} POSTs of one address at once",
        Figure("answers 202", statuses[202], ""),
        Figure("answers 409", statuses[409], ""),
        Figure("customers", customers, ""),
        Figure("sales", sales, ""),
        Figure("last of the fifty answers, median of the rounds", statistics.median(slowest), "ms"),
    )
