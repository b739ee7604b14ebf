"""`make bench`: measures the system on real servers of its own, prints the figures and keeps them.

Ends with a status other than 0 only where something failed or a promise broke. A figure below its target is said, not
failed: times depend on the machine and on what else it does.
"""

import sys

import psutil

from tests.bench import accepting, one_address, provisioning
from tests.bench.report import Report
from tests.bench.servers import PROCESSES, THREADS, running

BUSY = 20.0


def main(name: str) -> int:
    report = Report(busy_percent=psutil.cpu_percent(2))
    print(f"{psutil.cpu_count()} cores; gunicorn gthread, {PROCESSES} processes of {THREADS} threads; limits off.")
    if report.busy_percent > BUSY:
        print(
            f"Others take {report.busy_percent:.0f} % of the processors: times are worth little, ratios somewhat more."
        )
    with running() as servers:
        accepting.measure(servers, report)
        provisioning.measure(servers, report)
        one_address.measure(servers, report)
    missed = [one for one in report.figures if one.verdict == "BELOW TARGET"]
    print(f"\n{len(missed)} below target; written to tests/bench/results/{report.write(name).name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or ["latest"])))
