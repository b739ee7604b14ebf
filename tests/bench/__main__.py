"""`make bench`: measures the system on real servers of its own, prints the figures and keeps them.

Arguments: parts to measure (all of them without) and the name of the results' file ("latest" without), in any order.
Ends with a status other than 0 only where something failed or a promise broke. A missed target is said, not failed:
times depend on the machine and on what else it does.
"""

import sys
import time
from collections.abc import Callable, Sequence

import psutil

from tests.bench import accepting, drain, even_pace, one_address
from tests.bench.processor_time import Others
from tests.bench.report import Report
from tests.bench.servers import PROCESSES, THREADS, Servers, running

LISTEN_SECONDS = 2.0
PARTS: dict[str, Callable[[Servers, Report], None]] = {
    "accept": accepting.measure,
    "drain": drain.measure,
    "pace": even_pace.measure,
    "one-address": one_address.measure,
}


def main(arguments: Sequence[str]) -> int:
    chosen = [part for part in PARTS if part in arguments] or list(PARTS)
    names = [word for word in arguments if word not in PARTS] or ["latest"]
    if len(names) > 1 or not names[0].replace("-", "").isalnum():
        print(f"Usage: make bench ARGS='[{'] ['.join(PARTS)}] [name of the results]'", file=sys.stderr)
        return 2
    report = Report()
    print(f"{', '.join(chosen)}; {psutil.cpu_count()} cores; "
          f"{PROCESSES} API processes of {THREADS} places; limits off.")  # fmt: skip
    others = Others()
    time.sleep(LISTEN_SECONDS)
    report.note_others("before anything was started", others.percent())
    with running() as servers:
        for part in chosen:
            others = Others()
            PARTS[part](servers, report)
            report.note_others(f"during {part}", others.percent())
    print(f"\n{report.not_reached} not reached; written to tests/bench/results/{report.write(names[0]).name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
