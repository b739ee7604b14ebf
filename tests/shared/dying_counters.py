"""`python dying_counters.py FOLDER PROCESSES`: processes that count and end, as a service's do, while another scrapes.

Prints, as JSON, the sums at the end, the files left beside its own, and what the scrapes saw. A process of its own:
prometheus_client decides at its import where figures are kept.
"""

import json
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from tripwire_shared.metrics.exposition import exposition
from tripwire_shared.metrics.metrics_folder import merge_dead

EMPTY = CollectorRegistry()
ANSWERS = Counter("answers", "Answers", ["status"], registry=EMPTY)
SECONDS = Histogram("seconds", "Seconds", buckets=(0.1, 1.0), registry=EMPTY)
OPEN = Gauge("breakers_open", "Open breakers", registry=EMPTY, multiprocess_mode="livesum")


class NoFigures(Collector):
    def collect(self) -> Iterable[Metric]:
        return []


def sums() -> dict[str, float]:
    text = exposition(EMPTY, NoFigures()).decode()
    return {
        sample.name + "".join(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def count(number: int) -> None:
    ANSWERS.labels(str(200 + number % 3)).inc()
    SECONDS.observe(0.5)
    OPEN.set(1)


def scrape_on(pipe: int) -> None:
    """Until it is told to end: what was counted never becomes less, since nothing is in two files or in none."""
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
    seen, scrapes, last = 0.0, 0, {}
    while not stopped:
        now = sums()
        fell = {name: (value, now.get(name)) for name, value in last.items()
                if name != "breakers_open" and now.get(name, 0.0) < value}  # fmt: skip
        if fell:
            os.write(pipe, json.dumps({"fell": fell}).encode())
            os._exit(1)
        last, scrapes, seen = now, scrapes + 1, now.get("seconds_count", 0.0)
    os.write(pipe, json.dumps({"scrapes": scrapes, "seen": seen}).encode())
    os._exit(0)


def main(folder: Path, processes: int) -> None:
    reading, writing = os.pipe()
    scraper = os.fork()
    if scraper == 0:
        scrape_on(writing)
    os.close(writing)
    for number in range(processes):
        child = os.fork()
        if child == 0:
            count(number)
            os._exit(0)
        os.waitpid(child, 0)
        merge_dead(child)
    os.kill(scraper, signal.SIGTERM)
    os.waitpid(scraper, 0)
    files = sorted(file.name for file in folder.iterdir() if f"_{os.getpid()}." not in file.name)
    print(json.dumps({"sums": sums(), "files": files, "scraper": json.loads(os.read(reading, 65_536))}))


main(Path(sys.argv[1]), int(sys.argv[2]))
