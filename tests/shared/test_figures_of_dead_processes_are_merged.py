"""However many processes come and go, the folder of figures stays small, the sums right, and every scrape too."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from tests.shared.test_a_scrape_outlives_processes_that_come_and_go import NoFigures
from tripwire_shared.metrics import metrics_folder
from tripwire_shared.metrics.exposition import exposition
from tripwire_shared.metrics.metrics_folder import VARIABLE, hold_folder, merge_dead

NOBODY = 2**22 + 1  # no process has such an id


@pytest.mark.long
def test_six_hundred_processes_leave_one_file_of_each_kind_and_all_they_counted(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, Path(__file__).with_name("dying_counters.py"), tmp_path, "600"],
        env={**os.environ, VARIABLE: str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)
    assert told["files"] == ["counter_dead.db", "histogram_dead.db", "lock"]
    assert {name: value for name, value in told["sums"].items() if value} == {
        "answers_total200": 200, "answers_total201": 200, "answers_total202": 200,
        "seconds_bucket1.0": 600, "seconds_bucket+Inf": 600, "seconds_count": 600, "seconds_sum": 300,
    }  # fmt: skip
    assert told["scraper"]["scrapes"] > 5, told
    assert told["scraper"]["seen"] > 0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return tmp_path


def counted(folder: Path, owner: object, **counts: float) -> Path:
    file = folder / f"counter_{owner}.db"
    written = MmapedDict(str(file))
    for status, value in counts.items():
        written.write_value(mmap_key("answers", "answers_total", ["status"], [status], "Answers"), value, 0.0)
    written.close()
    return file


def scraped() -> str:
    return exposition(CollectorRegistry(), NoFigures()).decode()


def test_what_an_earlier_call_had_to_leave_is_merged_too_and_the_living_stay(folder: Path) -> None:
    counted(folder, os.getpid(), ok=1)
    counted(folder, NOBODY, ok=2, bad=5)
    counted(folder, NOBODY + 1, ok=4)
    (folder / f"counter_{NOBODY + 2}.db").touch()  # died as soon as it had begun
    merge_dead(NOBODY)
    assert {file.name for file in folder.glob("*.db")} == {"counter_dead.db", f"counter_{os.getpid()}.db"}
    assert 'answers_total{status="ok"} 7.0' in scraped()
    assert 'answers_total{status="bad"} 5.0' in scraped()


def test_many_labels_have_room(folder: Path) -> None:
    many = {f"label-{number}-{'ш' * 200}": 1.0 for number in range(2_000)}
    for owner in (NOBODY, NOBODY + 1):
        counted(folder, owner, **many)
        merge_dead(owner)
    assert scraped().count("} 2.0\n") == len(many)


def test_a_full_disk_leaves_everything_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted(folder, "dead", ok=1)
    counted(folder, NOBODY, ok=2)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "posix_fallocate", full)
        merge_dead(NOBODY)
    assert {file.name for file in folder.iterdir()} == {"counter_dead.db", f"counter_{NOBODY}.db", "lock"}
    assert 'answers_total{status="ok"} 3.0' in scraped()


def test_a_folder_that_others_hold_is_waited_for_a_moment_and_nothing_false_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_folder, "METRICS_LOCK_LIMIT", 0.05)
    file = counted(folder, NOBODY, ok=2)
    with hold_folder(folder, exclusively=False):
        merge_dead(NOBODY)
        assert file.exists()
        assert "answers_total" in scraped(), "readers share it"
    with hold_folder(folder, exclusively=True):
        assert "answers_total" not in scraped(), "unknown, and neither an error nor half of it"
    merge_dead(NOBODY)
    assert not file.exists()
    assert 'answers_total{status="ok"} 2.0' in scraped()
