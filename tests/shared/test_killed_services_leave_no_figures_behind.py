import os
import subprocess
import sys
from pathlib import Path

import pytest

from tripwire_shared.metrics.metrics_folder import VARIABLE, make_metrics_folder, remove_metrics_folder


def test_folders_of_the_dead_are_removed_and_those_of_the_living_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv(VARIABLE, "")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for owner in (dead.pid, os.getpid(), os.getppid()):
        (tmp_path / f"tripwire-metrics-{owner}-x").mkdir()
        (tmp_path / f"tripwire-metrics-{owner}-x" / "counter_1.db").touch()
    (tmp_path / "tripwire-metrics-of-somebody").mkdir()

    folder = make_metrics_folder()
    assert os.environ[VARIABLE] == str(folder)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {folder.name, f"tripwire-metrics-{os.getppid()}-x", "tripwire-metrics-of-somebody"}
    remove_metrics_folder(folder)
    assert not folder.exists()
