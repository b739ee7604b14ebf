"""The benchmark's own sums: what it adds up, divides and compares."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bench import calls
from tests.bench.drain import WAITING, Drain, Moment
from tests.bench.even_pace import ms_to_rows
from tests.bench.load import Answer, Answers, percentile
from tests.bench.memory import tree_mib
from tests.bench.processor_time import ProcessorTime, share_of_others, tree_seconds
from tests.bench.report import Figure, Report

# A child that used the processor and has ended, then one that lives on; both let the test know.
TREE = """
import subprocess, sys, time
BURN = "import time\\nwhile time.process_time() < 0.3: pass\\n"
subprocess.run([sys.executable, "-c", BURN], check=True)
lives = subprocess.Popen([sys.executable, "-c", BURN + "print('both', flush=True); time.sleep(60)"])
time.sleep(60)
"""


@contextmanager
def tree() -> Iterator[int]:
    """A process whose one child has ended and whose other one lives; each of these has used 0.3 s."""
    leader = subprocess.Popen([sys.executable, "-c", TREE], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert leader.stdout is not None
        assert leader.stdout.readline() == "both\n"
        yield leader.pid
    finally:
        os.killpg(leader.pid, 9)
        leader.communicate()


def test_processor_time_and_memory_are_those_of_the_whole_tree() -> None:
    with tree() as pid:
        used = tree_seconds(pid)
        assert 0.58 < used < 0.95, "0.3 s of the child that lives, 0.3 s of the one that has ended, the leader's start"
        rollups = [Path(f"/proc/{one}/smaps_rollup").read_text(encoding="utf-8") for one in (pid, *children_of(pid))]
        assert len(rollups) == 2
        pss = [int(line.split()[1]) / 1024 for text in rollups for line in text.splitlines() if line[:4] == "Pss:"]
        assert sum(tree_mib(pid)) == pytest.approx(sum(pss), rel=0.2)


def children_of(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]


def test_processor_time_does_not_shrink_when_a_process_ends() -> None:
    before = tree_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.2: pass"], check=True, timeout=20)
    assert 0.19 <= tree_seconds(os.getpid()) - before < 0.38


def test_what_others_use_is_told_from_what_is_our_own() -> None:
    assert share_of_others(busy=3.0, own=1.0, seconds=2.0, processors=2) == 50.0
    assert share_of_others(busy=1.0, own=1.01, seconds=2.0, processors=2) == 0.0


def test_processor_times_are_added_part_by_part() -> None:
    before, after = ProcessorTime(1.0, 2.0, 3.0), ProcessorTime(2.0, 4.0, 6.0)
    assert after - before == ProcessorTime(1.0, 2.0, 3.0)
    assert before * 10 == ProcessorTime(10.0, 20.0, 30.0)
    assert before.total == 6.0


@pytest.mark.parametrize(
    ("percent", "value"), [(0, 1.0), (1, 1.0), (50, 50.0), (50.5, 51.0), (99, 99.0), (99.5, 100.0), (100, 100.0)]
)
def test_percentiles(percent: float, value: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], percent) == value


def test_a_percentile_of_few_values() -> None:
    assert percentile([7.0], 99) == 7.0
    assert percentile([1.0, 2.0], 50) == 1.0


def test_answers_are_counted_from_when_they_were_due() -> None:
    answers = Answers(2.0, [Answer(0, 202, 10.0, 10.5), Answer(1, 202, 11.0, 11.1), Answer(2, 409, 12.0, 12.2)])
    assert answers.ms(100) == pytest.approx(500)
    assert answers.ms(50) == pytest.approx(200)
    assert answers.per_second == 1.5
    assert answers.statuses == {202: 2, 409: 1}
    assert [one.number for one in answers.due_before(12.0).each] == [0, 1]
    with pytest.raises(AssertionError, match="409"):
        answers.only(202)


def test_a_row_that_is_seen_before_the_answer_waited_for_nothing() -> None:
    answers = Answers(1.0, [Answer(1, 202, 1.0, 1.5), Answer(0, 202, 1.0, 1.2)])
    seen = {calls.address("run", 0): 1.25, calls.address("run", 1): 1.4}
    assert ms_to_rows(answers, "run", seen) == pytest.approx([0.0, 50.0])


def drain(*, sent_meanwhile: int, mail_seconds: float) -> Drain:
    """A customer costs 0.4 / 0.2 / 0.04 ms, the start 1 s of the services; all mails together take `mail_seconds`."""
    share = sent_meanwhile / WAITING
    first = ProcessorTime(1.0, 0.0, 0.0)
    customers = ProcessorTime(1.0 + 0.0004 * WAITING + share * mail_seconds, 0.0002 * WAITING, 0.00004 * WAITING)
    mails = ProcessorTime(customers.services + (1 - share) * mail_seconds, customers.postgres, customers.valkey)
    return Drain(Moment(0.5, first), Moment(2.5, customers), Moment(9.0, mails), sent_meanwhile)


def test_mails_that_go_out_meanwhile_are_no_cost_of_a_customer() -> None:
    one = drain(sent_meanwhile=WAITING // 5, mail_seconds=3.0)
    assert one.mail_ms is not None
    assert one.customer_ms is not None
    assert one.mail_ms.total == pytest.approx(3_000 / WAITING)
    assert one.customer_ms.services == pytest.approx(0.4 + 1_000 / WAITING)
    assert one.customer_ms.postgres == pytest.approx(0.2)
    assert one.customer_ms.valkey == pytest.approx(0.04)
    assert one.both_ms.services == pytest.approx(0.4 + 4_000 / WAITING)
    assert one.running_ms == pytest.approx(0.6 + 3_000 / WAITING)
    assert one.start_ms == pytest.approx(1_000 / WAITING)
    assert one.per_second == WAITING / 2.5


def test_a_mail_is_unknown_where_nearly_all_went_out_meanwhile() -> None:
    one = drain(sent_meanwhile=WAITING - 10, mail_seconds=3.0)
    assert one.mail_ms is None
    assert one.customer_ms is None


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("shown only", 1.0, "s"), ""),
        (Figure("at its limit", 15.0, "ms", at_most=15), "reached"),
        (Figure("beyond it", 15.1, "ms", at_most=15), "MISSED"),
        (Figure("of zero", 0.0, "ms", at_most=0), "reached"),
        (Figure("enough", 0.3, "", at_least=0.3), "reached"),
        (Figure("too little", 0.29, "", at_least=0.3), "MISSED"),
        (Figure("not told", None, "ms", at_most=1), "UNKNOWN"),
        (Figure("another run's", 6.0, "ms", at_most=5, information="theirs"), "beyond (theirs)"),
    ],
)
def test_verdicts(figure: Figure, verdict: str) -> None:
    assert figure.verdict == verdict


def test_what_is_missed_or_unknown_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    missed, unknown = Figure("slow", 2.0, "s", at_most=1), Figure("unseen", None, "s", at_most=1)
    theirs = Figure("another run's", 2.0, "s", at_most=1, information="theirs")
    report.add("Times", missed, unknown, theirs, Figure("fast", 0.5, "s", at_most=1))
    assert report.not_reached == 2
    assert "unknown" in capsys.readouterr().out
