"""From accepted to provisioned at an even pace, while the worker service runs; and what memory all of it takes."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench import calls, memory, targets
from tests.bench.load import Answers, open_loop, percentile
from tests.bench.report import Figure, Report
from tests.bench.servers import Connection, Servers, connected, rows

PER_SECOND, COUNT = 50, 750
FASTER_PER_SECOND, FASTER_COUNT = 200, 1_000
WARM_UP = 100
LIMIT = 120.0
LOOK_PAUSE = 0.003

# `finished_at` is the clock when the state is written, just before the commit.
TOOK = """
SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
    ORDER BY 1000 * extract(epoch FROM finished_at - accepted_at)::float8)
FROM provisioning_requests"""
# A look must be cheap, as there is one each 3 ms. What it misses (who took longer than a second) the last one sees.
NEWEST = "SELECT email FROM tripwire_users WHERE created_at > clock_timestamp() - interval '1 second'"
ALL = "SELECT email FROM tripwire_users"


def measure(servers: Servers, report: Report) -> None:
    servers.empty()
    with servers.worker() as worker:
        creates = calls.Creates(servers.token)
        open_loop(servers.api_port, creates, per_second=PER_SECOND, count=WARM_UP).only(202)
        servers.wait_until_provisioned(WARM_UP, LIMIT)
        servers.empty()
        _at_an_even_pace(servers, report)
        servers.empty()
        _faster(servers, report)
        memory.measure(servers.api, worker, report)


def _at_an_even_pace(servers: Servers, report: Report) -> None:
    run = calls.new_run()
    hello = open_loop(servers.hello_port, calls.hello, per_second=PER_SECOND, count=200).only(200)
    with _seen_customers(servers.postgres.url) as seen:
        creates = calls.Creates(servers.token, run=run)
        answers = open_loop(servers.api_port, creates, per_second=PER_SECOND, count=COUNT).only(202)
        servers.wait_until_provisioned(COUNT, LIMIT)
    to_rows = ms_to_rows(answers, run, seen)
    with connected(servers.postgres.url) as connection:
        (((half, most),),) = rows(connection, TOOK)
    report.add(
        f"At {PER_SECOND} requests a second, whatever the answers do; the worker provisions meanwhile",
        Figure("hello world's answer, p50", hello.ms(50), "ms"),
        Figure("hello world's answer, p99", hello.ms(99), "ms"),
        Figure("accept's answer, p50", answers.ms(50), "ms"),
        Figure("accept's answer, p99", answers.ms(99), "ms", at_most=targets.ANSWER_MS_AT_50),
        _against_procrastinate(50, to_rows, targets.PROCRASTINATE_P50_MS),
        _against_procrastinate(99, to_rows, targets.PROCRASTINATE_P99_MS),
        Figure("accepted to provisioned by PostgreSQL's clock, p50", half, "ms"),
        Figure("accepted to provisioned by PostgreSQL's clock, p99", most, "ms"),
    )


def _against_procrastinate(percent: int, ms: list[float], theirs: float) -> Figure:
    return Figure(
        f"from the answer to the row that others see, p{percent}", percentile(ms, percent), "ms",
        at_most=targets.OF_PROCRASTINATE * theirs,
        information=f"{targets.OF_PROCRASTINATE:g} x Procrastinate's {theirs:g} of the peers' workshop, another run",
    )  # fmt: skip


def _faster(servers: Servers, report: Report) -> None:
    creates = calls.Creates(servers.token)
    answers = open_loop(servers.api_port, creates, per_second=FASTER_PER_SECOND, count=FASTER_COUNT).only(202)
    servers.wait_until_provisioned(FASTER_COUNT, LIMIT)
    report.add(
        f"At {FASTER_PER_SECOND} requests a second; the worker provisions meanwhile",
        Figure("accept's answer, p50", answers.ms(50), "ms"),
        Figure("accept's answer, p99", answers.ms(99), "ms", at_most=targets.ANSWER_MS_AT_200),
    )


def ms_to_rows(answers: Answers, run: str, seen: dict[str, float]) -> list[float]:
    """Milliseconds from each answer to the moment when its customer was seen; 0 where that was before the answer."""
    return [1000 * max(0.0, seen[calls.address(run, one.number)] - one.arrived_at) for one in answers.each]


@contextmanager
def _seen_customers(url: str) -> Iterator[dict[str, float]]:
    """E-mail addresses, each with the moment (`time.perf_counter()`) when a look first showed its customer."""
    seen: dict[str, float] = {}
    stopped = threading.Event()

    def look(connection: Connection, query: str) -> None:
        found = rows(connection, query)
        now = time.perf_counter()
        for (email,) in found:
            seen.setdefault(email, now)

    def look_on() -> None:
        with connected(url) as connection:
            while not stopped.wait(LOOK_PAUSE):
                look(connection, NEWEST)
            look(connection, ALL)

    looking = threading.Thread(target=look_on, name="looking")
    looking.start()
    try:
        yield seen
    finally:
        stopped.set()
        looking.join()
