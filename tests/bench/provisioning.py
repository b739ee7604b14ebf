"""From accepted to provisioned: at an even pace, and when thousands wait. And what each process takes of the memory."""

import time

from deploy.local.child import Child
from tests.bench import calls
from tests.bench.load import closed_loop, open_loop
from tests.bench.report import Figure, Report
from tests.bench.servers import Servers, memory_mb, rows
from tests.invariants import assert_nothing_broken

PER_SECOND, COUNT = 50, 750
WAITING = 5_000
DRAIN_LIMIT = 300.0
ANSWER_TARGET_MS = PROVISIONED_TARGET_MS = 10.0

# `finished_at` is the clock when the state is written, just before the commit.
TOOK = """
SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
    ORDER BY 1000 * extract(epoch FROM finished_at - accepted_at)::float8)
FROM provisioning_requests"""
SPAN = "SELECT extract(epoch FROM max(finished_at) - min(finished_at))::float8 FROM provisioning_requests"


def measure(servers: Servers, report: Report) -> None:
    """Starts the worker service and leaves it running."""
    servers.empty()
    worker = _drain(servers, report)
    servers.empty()
    _at_an_even_pace(servers, report)
    _memory(servers, worker, report)


def _drain(servers: Servers, report: Report) -> Child:
    creates = calls.Creates(servers.token)
    closed_loop(servers.api_port, creates, connections=16, count=WAITING).only(202)
    began = time.monotonic()
    worker = servers.stack.start_worker()
    servers.wait_until_provisioned(WAITING, DRAIN_LIMIT)
    took = time.monotonic() - began
    assert_nothing_broken(servers.postgres.url)
    (span,) = rows(servers.postgres.url, SPAN)[0]
    report.add(
        f"Drain of {WAITING:,} waiting requests, no rate limit",
        Figure("from the start of the worker service to the last customer", took, "s"),
        Figure("customers, once the first one was there", WAITING / span, "/s"),
    )
    return worker


def _at_an_even_pace(servers: Servers, report: Report) -> None:
    creates = calls.Creates(servers.token)
    hello = open_loop(servers.hello_port, calls.hello, per_second=PER_SECOND, count=200).only(200)
    answers = open_loop(servers.api_port, creates, per_second=PER_SECOND, count=COUNT).only(202)
    servers.wait_until_provisioned(COUNT, DRAIN_LIMIT)
    (((half, most),),) = rows(servers.postgres.url, TOOK)
    report.add(
        f"At {PER_SECOND} requests a second, whatever the answers do; the worker provisions meanwhile",
        Figure("hello world's answer, p50", hello.ms(50), "ms"),
        Figure("hello world's answer, p99", hello.ms(99), "ms"),
        Figure("accept's answer, p50", answers.ms(50), "ms"),
        Figure("accept's answer, p99", answers.ms(99), "ms", below=ANSWER_TARGET_MS),
        Figure("accepted to provisioned, p50", half, "ms", below=PROVISIONED_TARGET_MS),
        Figure("accepted to provisioned, p99", most, "ms"),
    )


def _memory(servers: Servers, worker: Child, report: Report) -> None:
    api, pool = memory_mb(servers.api), memory_mb(worker)
    report.add(
        "Memory of each process for itself",
        Figure("API, the largest of its processes", max(api), "MiB"),
        Figure(f"API, all {len(api)}", sum(api), "MiB"),
        Figure("worker service, the largest of its processes", max(pool), "MiB"),
        Figure(f"worker service, all {len(pool)}", sum(pool), "MiB"),
    )
