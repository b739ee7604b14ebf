"""What it costs to accept a request: against hello world, and against the size of table and queue."""

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from tests.bench import calls, full_tables, parts, targets
from tests.bench.load import closed_loop
from tests.bench.processor_time import tree_seconds
from tests.bench.report import Figure, Report
from tests.bench.servers import Servers

CONNECTIONS = 16
ROUNDS, ROUND_SECONDS = 7, 1.5
WAITING = 5_000


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
        Figure("hello world", median(rounds.hello), "/s"),
        Figure("accept", median(rounds.accept), "/s"),
        Figure("ratio", rounds.ratio, "", at_least=targets.ACCEPT_OF_HELLO),
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
    full_tables.fill(servers.postgres.url)
    full = _rounds(servers, lambda: None, rounds=3).ratio
    servers.empty()
    creates = calls.Creates(servers.token)
    closed_loop(servers.api_port, creates, connections=CONNECTIONS, count=WAITING).only(202)
    waiting = _rounds(servers, lambda: None, rounds=3).ratio
    servers.empty()
    report.add(
        "Accept against the size of table and queue (ratio to hello world, as above)",
        Figure("nothing in the table, nothing waiting", empty, ""),
        Figure(f"{full_tables.CUSTOMERS:,} requests and customers in the tables", full, ""),
        Figure(f"{WAITING:,} and more waiting in the queue", waiting, ""),
    )


def _rounds(servers: Servers, prepare: Callable[[], None], *, rounds: int) -> Rounds:
    """A B A B, so that a machine that has other things to do meanwhile does it to both."""
    measured, creates = Rounds(), calls.Creates(servers.token)
    accepting = {"API": servers.api, "PostgreSQL": servers.postgres.child, "Valkey": servers.valkey.child}
    for _ in range(rounds):
        prepare()
        before = tree_seconds(servers.hello.pid)
        hello = closed_loop(servers.hello_port, calls.hello, connections=CONNECTIONS, seconds=ROUND_SECONDS).only(200)
        measured.hello.append(hello.per_second)
        measured.hello_us.append(1e6 * (tree_seconds(servers.hello.pid) - before) / len(hello.each))
        befores = {name: tree_seconds(child.pid) for name, child in accepting.items()}
        accept = closed_loop(servers.api_port, creates, connections=CONNECTIONS, seconds=ROUND_SECONDS).only(202)
        measured.accept.append(accept.per_second)
        for name, child in accepting.items():
            used = tree_seconds(child.pid) - befores[name]
            measured.accept_us[name].append(1e6 * used / len(accept.each))
    return measured
