"""What it costs to accept a request: against hello world, and against the size of table and queue."""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from tests.bench import calls, parts
from tests.bench.load import closed_loop
from tests.bench.report import Figure, Report
from tests.bench.servers import Servers, execute, processor_seconds

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


@dataclass
class Rounds:
    """One entry a round. Processor time is counted in microseconds per request, in each of the servers."""

    hello: list[float] = field(default_factory=list)
    accept: list[float] = field(default_factory=list)
    hello_us: list[float] = field(default_factory=list)
    accept_us: dict[str, list[float]] = field(default_factory=lambda: {"API": [], "PostgreSQL": [], "Valkey": []})

    @property
    def ratio(self) -> float:
        return median(accept / hello for hello, accept in zip(self.hello, self.accept, strict=True))


def measure(servers: Servers, report: Report) -> None:
    """Without a worker: all that runs is what accepts."""
    _rounds(servers, servers.empty, rounds=1)  # warm: pools filled, plans and pages where they stay
    rounds = _rounds(servers, servers.empty, rounds=ROUNDS)
    hello_us, accept_us = median(rounds.hello_us), {name: median(us) for name, us in rounds.accept_us.items()}
    report.add(
        f"Accept (202) against hello world, {CONNECTIONS} connections, {ROUNDS} rounds in turn, medians",
        Figure("hello world of the same gunicorn", median(rounds.hello), "/s"),
        Figure("accept", median(rounds.accept), "/s"),
        Figure("ratio", rounds.ratio, "", at_least=RATIO_TARGET),
        Figure("processor time of a hello world", hello_us, "us"),
        *(Figure(f"processor time of an accept, {name}", us, "us") for name, us in accept_us.items()),
        Figure("ratio of processor times", hello_us / sum(accept_us.values()), ""),
    )
    servers.empty()
    took = parts.measure(servers.stack.environ)
    report.add(
        "Parts of one accept, called in one process without HTTP, where nothing disturbs them (10th percentile)",
        *(Figure(part, microseconds, "us") for part, microseconds in took.items()),
        Figure("all of it", sum(took.values()), "us"),
    )
    _against_size(servers, report, rounds.ratio)


def _against_size(servers: Servers, report: Report, empty: float) -> None:
    servers.empty()
    execute(servers.postgres.url, FILL_REQUESTS)
    execute(servers.postgres.url, FILL_CUSTOMERS)
    full = _rounds(servers, lambda: None, rounds=3).ratio
    servers.empty()
    creates = calls.Creates(servers.token)
    closed_loop(servers.api_port, creates, connections=CONNECTIONS, count=WAITING).only(202)
    waiting = _rounds(servers, lambda: None, rounds=3).ratio
    servers.empty()
    report.add(
        "Accept against the size of table and queue (ratio to hello world, as above)",
        Figure("nothing in the table, nothing waiting", empty, ""),
        Figure(f"{FULL:,} requests and customers in the tables", full, ""),
        Figure(f"{WAITING:,} and more waiting in the queue", waiting, ""),
    )


def _rounds(servers: Servers, prepare: Callable[[], None], *, rounds: int) -> Rounds:
    """A B A B, so that a machine that has other things to do meanwhile does it to both."""
    measured, creates = Rounds(), calls.Creates(servers.token)
    accepting = {"API": servers.api, "PostgreSQL": servers.postgres.child, "Valkey": servers.valkey.child}
    for _ in range(rounds):
        prepare()
        before = processor_seconds(servers.hello)
        hello = closed_loop(servers.hello_port, calls.hello, connections=CONNECTIONS, seconds=ROUND_SECONDS).only(200)
        measured.hello.append(hello.per_second)
        measured.hello_us.append(1e6 * (processor_seconds(servers.hello) - before) / len(hello.seconds))
        befores = {name: processor_seconds(child) for name, child in accepting.items()}
        accept = closed_loop(servers.api_port, creates, connections=CONNECTIONS, seconds=ROUND_SECONDS).only(202)
        measured.accept.append(accept.per_second)
        for name, child in accepting.items():
            used = processor_seconds(child) - befores[name]
            measured.accept_us[name].append(1e6 * used / len(accept.seconds))
    return measured
