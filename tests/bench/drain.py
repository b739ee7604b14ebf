"""Thousands wait: what the worker service takes to make customers of them and to send their mails."""

import time
from collections.abc import Callable
from dataclasses import astuple, dataclass

from tests.bench import calls, floor, full_tables, targets
from tests.bench.load import closed_loop, open_loop
from tests.bench.processor_time import ProcessorTime
from tests.bench.report import Figure, Report
from tests.bench.servers import Connection, Servers, connected, rows
from tests.invariants import assert_nothing_broken
from tests.waiting import wait_until

WAITING = 5_000
RUNS = 2
LIMIT = 300.0
STEP = 0.05
PER_SECOND, MEANWHILE = 50, 500
# Fewer mails than this share, or fewer answers than this number, say nothing.
ENOUGH_MAILS, ENOUGH_ANSWERS = 0.2, 100

# Asked while it runs: each finds its answer at the beginning of an index.
NOW = "SELECT clock_timestamp()"
FIRST_CUSTOMER = "SELECT 1 FROM provisioning_requests WHERE finished_at >= %s ORDER BY finished_at DESC LIMIT 1"
REQUEST_WAITS = "SELECT 1 FROM provisioning_requests WHERE status = 'accepted' ORDER BY due_at LIMIT 1"
MAIL_WAITS = "SELECT 1 FROM outbox WHERE channel = 'mail' AND status = 'pending' ORDER BY due_at LIMIT 1"
MAILS_WAITING = "SELECT count(*) FROM outbox WHERE channel = 'mail' AND status = 'pending'"
MADE = "SELECT count(*) FROM provisioning_requests WHERE status = 'provisioned' AND finished_at >= %s"
# Seconds since the last mail of the requests accepted before a moment went out; null while one of them waits.
MAILS_OUT_SINCE = """
SELECT CASE WHEN count(*) FILTER (WHERE o.status = 'sent') = %s
            THEN extract(epoch FROM clock_timestamp() - max(o.finished_at))::float8 END
FROM outbox o JOIN provisioning_requests r ON r.id = o.request_id WHERE o.channel = 'mail' AND r.accepted_at < %s"""


@dataclass(frozen=True)
class Moment:
    """What had passed and what had been used since the worker service was started."""

    seconds: float
    used: ProcessorTime


@dataclass(frozen=True)
class Drain:
    """The moments of the first and the last customer and of the last mail. `sent_meanwhile`: the mails that were out
    when the last customer was there. Processor times are milliseconds of one customer or mail."""

    first: Moment
    customers: Moment
    mails: Moment
    sent_meanwhile: int

    @property
    def per_second(self) -> float:
        return WAITING / self.customers.seconds

    @property
    def start_ms(self) -> float:
        """A customer's share of what it took to start the worker service."""
        return self.first.used.total * 1000 / WAITING

    @property
    def mail_ms(self) -> ProcessorTime | None:
        """By the mails that went out when nothing else was left to do; None where they were too few."""
        left = WAITING - self.sent_meanwhile
        if left < ENOUGH_MAILS * WAITING:
            return None
        return (self.mails.used - self.customers.used) * (1000 / left)

    @property
    def customer_ms(self) -> ProcessorTime | None:
        """Without the mails that were sent meanwhile, with the start of the worker service."""
        if self.mail_ms is None:
            return None
        return (self.customers.used * 1000 - self.mail_ms * self.sent_meanwhile) * (1 / WAITING)

    @property
    def both_ms(self) -> ProcessorTime:
        """A customer and its mail, with the start of the worker service."""
        return self.mails.used * (1000 / WAITING)

    @property
    def running_ms(self) -> float:
        """A customer and its mail in services and PostgreSQL, without the start of the worker service."""
        used = self.mails.used - self.first.used
        return (used.services + used.postgres) * 1000 / WAITING


def measure(servers: Servers, report: Report) -> None:
    bare = floor.measure(servers)
    report.add(
        f"The floor: the bare set statement, one connection, sets of {floor.SET}",
        Figure("customers", bare.per_second, "/s"),
        Figure("processor time of a customer, its client", bare.client_ms, "ms"),
        Figure("processor time of a customer, PostgreSQL", bare.postgres_ms, "ms"),
    )
    servers.empty()
    empty = _least_disturbed(servers, before_each=servers.empty)
    _report_drain(empty, bare, report)
    servers.empty()
    _answers_meanwhile(servers, report)
    servers.empty()
    full_tables.fill(servers.postgres.url)
    full = _least_disturbed(servers)
    servers.empty()
    report.add(
        "A drained customer and its mail against the size of the tables (processor time, services and PostgreSQL)",
        Figure("nothing in the tables", empty.running_ms, "ms"),
        Figure(f"{full_tables.CUSTOMERS:,} customers in the tables", full.running_ms, "ms"),
        Figure("ratio", full.running_ms / empty.running_ms, "", at_most=targets.FULL_OF_EMPTY),
    )


def _least_disturbed(servers: Servers, before_each: Callable[[], None] = lambda: None) -> Drain:
    """Of some runs the one that cost least: what else the machine does only adds to it."""
    drains = []
    for _ in range(RUNS):
        before_each()
        drains.append(_drain(servers))
    return min(drains, key=lambda one: one.mails.used.total)


def _drain(servers: Servers) -> Drain:
    _accept(servers)
    with connected(servers.postgres.url) as connection:
        (accepted_until,) = rows(connection, NOW)[0]
        before, began = servers.processor_time(), time.monotonic()

        def moment() -> Moment:
            return Moment(time.monotonic() - began, servers.processor_time() - before)

        with servers.worker():
            _wait(connection, FIRST_CUSTOMER, accepted_until, until=True)
            first = moment()
            _wait(connection, REQUEST_WAITS, until=False)
            customers = moment()
            (waiting,) = rows(connection, MAILS_WAITING)[0]
            _wait(connection, MAIL_WAITS, until=False)
            mails = moment()
        (made,) = rows(connection, MADE, accepted_until)[0]
    if made != WAITING:
        raise AssertionError(f"{WAITING} accepted made {made} customers")
    assert_nothing_broken(servers.postgres.url)
    return Drain(first, customers, mails, WAITING - waiting)


def _accept(servers: Servers) -> None:
    closed_loop(servers.api_port, calls.Creates(servers.token), connections=16, count=WAITING).only(202)


def _wait(connection: Connection, query: str, *values: object, until: bool) -> None:
    wait_until(lambda: bool(rows(connection, query, *values)) is until, LIMIT, step=STEP, what=query)


def _report_drain(drain: Drain, bare: floor.Floor, report: Report) -> None:
    services, postgres, valkey = astuple(drain.customer_ms) if drain.customer_ms else (None, None, None)
    mail, both = drain.mail_ms, drain.both_ms
    report.add(
        f"Drain of {WAITING:,} waiting requests, no rate limit (the less disturbed of {RUNS} runs)",
        Figure("from the start of the worker service to the first customer", drain.first.seconds, "s"),
        Figure("to the last customer", drain.customers.seconds, "s"),
        Figure("customers, from the start of the worker service", drain.per_second, "/s"),
        Figure(
            "customers, once the first one was there",
            WAITING / (drain.customers.seconds - drain.first.seconds), "/s",
        ),
        Figure(
            "ratio to the floor, from the start of the worker service", drain.per_second / bare.per_second, "",
            at_least=targets.DRAIN_OF_FLOOR,
        ),
        Figure("mails that were out with the last customer", drain.sent_meanwhile, ""),
        Figure("from the start to the last mail", drain.mails.seconds, "s", at_most=targets.MAILS_OUT_SECONDS),
    )  # fmt: skip
    report.add(
        "Processor time there, the start of the worker service in it",
        Figure("a customer, services", services, "ms", at_most=targets.CUSTOMER_MS_SERVICES),
        Figure("a customer, PostgreSQL", postgres, "ms", at_most=targets.CUSTOMER_MS_POSTGRES),
        Figure("a customer, Valkey", valkey, "ms", at_most=targets.CUSTOMER_MS_VALKEY),
        Figure("a mail on top, all of them", None if mail is None else mail.total, "ms", at_most=targets.MAIL_MS),
        Figure("a customer and its mail, services", both.services, "ms"),
        Figure("a customer and its mail, PostgreSQL", both.postgres, "ms"),
        Figure("a customer and its mail, Valkey", both.valkey, "ms"),
        Figure("a customer's share of the start, all of them", drain.start_ms, "ms"),
    )


def _answers_meanwhile(servers: Servers, report: Report) -> None:
    """What those wait who come while the mails of a drain go out."""
    _accept(servers)
    with connected(servers.postgres.url) as connection, servers.worker():
        (accepted_until,) = rows(connection, NOW)[0]
        _wait(connection, FIRST_CUSTOMER, accepted_until, until=True)
        creates = calls.Creates(servers.token)
        answers = open_loop(servers.api_port, creates, per_second=PER_SECOND, count=MEANWHILE).only(202)
        (since,) = rows(connection, MAILS_OUT_SINCE, WAITING, accepted_until)[0]
        if since is not None:
            answers = answers.due_before(time.perf_counter() - since)
    enough = len(answers.each) >= ENOUGH_ANSWERS
    report.add(
        f"At {PER_SECOND} requests a second while the mails of a drain go out",
        Figure("answers in that time", len(answers.each), ""),
        Figure("accept's answer, p50", answers.ms(50) if enough else None, "ms"),
        Figure("accept's answer, p99", answers.ms(99) if enough else None, "ms"),
    )
