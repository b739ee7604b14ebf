"""What it costs to accept a request: against hello world, and against the size of table and queue."""

import statistics
from collections.abc import Callable

from tests.bench import calls, parts
from tests.bench.load import closed_loop
from tests.bench.report import Figure, Report
from tests.bench.servers import Servers, execute

CONNECTIONS = 16
ROUNDS, ROUND_SECONDS = 7, 1.5
WAITING, FULL = 5_000, 100_000
RATIO_TARGET = 0.28

# Customers of former times, as they stand in the tables after their provisioning. In two steps, as the foreign keys
# are checked by plans that know how large the table is.
FILL_REQUESTS = f"""
INSERT INTO provisioning_requests (id, email, full_name, price, currency, staff_id, status, mode, attempts, due_at,
                                   user_id, answer, accepted_at, finished_at)
SELECT gen_random_uuid(), 'old' || n || '@example.com', 'Old Customer', 5000, 'KZT', (SELECT id FROM staff LIMIT 1),
       'provisioned', 'async', 1, now() - n * interval '1 minute', gen_random_uuid(), 202,
       now() - n * interval '1 minute', now() - n * interval '1 minute'
FROM generate_series(1, {FULL}) n;
ANALYZE provisioning_requests"""
FILL_CUSTOMERS = """
INSERT INTO auth.users (id, email, created_at) SELECT user_id, email, accepted_at FROM provisioning_requests;
INSERT INTO tripwire_users (id, user_id, request_id, email, full_name, granted_by)
SELECT gen_random_uuid(), user_id, id, email, full_name, staff_id FROM provisioning_requests;
INSERT INTO request_steps (request_id, step) SELECT id, 'provisioned' FROM provisioning_requests;
ANALYZE auth.users, tripwire_users, request_steps"""


def measure(servers: Servers, report: Report) -> None:
    """Without a worker: all that runs is what accepts."""
    _rounds(servers, servers.empty, rounds=1)  # warm: pools filled, plans and pages where they stay
    hello, accept, ratio = _rounds(servers, servers.empty, rounds=ROUNDS)
    report.add(
        f"Accept (202) against hello world, {CONNECTIONS} connections, {ROUNDS} rounds in turn, medians",
        Figure("hello world of the same gunicorn", hello, "/s"),
        Figure("accept", accept, "/s"),
        Figure("ratio", ratio, "", at_least=RATIO_TARGET),
    )
    servers.empty()
    took = parts.measure(servers.stack.environ)
    report.add(
        "Parts of one accept, called in one process without HTTP, where nothing disturbs them (10th percentile)",
        *(Figure(part, microseconds, "us") for part, microseconds in took.items()),
        Figure("all of it", sum(took.values()), "us"),
    )
    _against_size(servers, report, ratio)


def _against_size(servers: Servers, report: Report, empty: float) -> None:
    servers.empty()
    execute(servers.postgres.url, FILL_REQUESTS)
    execute(servers.postgres.url, FILL_CUSTOMERS)
    full = _rounds(servers, lambda: None, rounds=3)[2]
    servers.empty()
    creates = calls.Creates(servers.token)
    closed_loop(servers.api_port, creates, connections=CONNECTIONS, count=WAITING).only(202)
    waiting = _rounds(servers, lambda: None, rounds=3)[2]
    servers.empty()
    report.add(
        "Accept against the size of table and queue (ratio to hello world, as above)",
        Figure("nothing in the table, nothing waiting", empty, ""),
        Figure(f"{FULL:,} requests and customers in the tables", full, ""),
        Figure(f"{WAITING:,} and more waiting in the queue", waiting, ""),
    )


def _rounds(servers: Servers, prepare: Callable[[], None], *, rounds: int) -> tuple[float, float, float]:
    """Medians of hello world's and of accept's throughput and of the ratio of each round: A B A B, so that a
    machine that has other things to do meanwhile does it to both."""
    hellos, accepts = [], []
    for _ in range(rounds):
        prepare()
        hello = closed_loop(servers.hello_port, calls.hello, connections=CONNECTIONS, seconds=ROUND_SECONDS)
        hellos.append(hello.only(200).per_second)
        creates = calls.Creates(servers.token)
        accept = closed_loop(servers.api_port, creates, connections=CONNECTIONS, seconds=ROUND_SECONDS)
        accepts.append(accept.only(202).per_second)
    ratios = [accept / hello for hello, accept in zip(hellos, accepts, strict=True)]
    return statistics.median(hellos), statistics.median(accepts), statistics.median(ratios)
