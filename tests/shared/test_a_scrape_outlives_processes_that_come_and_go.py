"""gunicorn's processes each count in a file; a scrape may come when one of them has only just been opened."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.registry import Collector

from tripwire_shared.metrics.exposition import exposition


class NoFigures(Collector):
    def collect(self) -> Iterable[Metric]:
        return []


def test_an_empty_file_has_counted_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    counted = MmapedDict(str(tmp_path / "counter_1.db"))
    counted.write_value(mmap_key("answers", "answers_total", [], [], "Answers"), 3.0, 0.0)
    (tmp_path / "counter_2.db").touch()
    assert b"answers_total 3.0" in exposition(CollectorRegistry(), NoFigures())
