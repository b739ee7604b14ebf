"""The container's health check of the worker service: both children run, or it says so."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.waiting import wait_until
from tripwire_worker.alive import living_children

SERVICE = """
import multiprocessing, time
from tripwire_worker.process_ties import name_process
def child(name):
    name_process(name)
    time.sleep(60)
if __name__ == "__main__":
    for name in ("tripwire-worker", "tripwire-sweep"):
        multiprocessing.get_context("spawn").Process(target=child, args=(name,)).start()
    time.sleep(60)
"""


def test_two_children_then_one_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "service.py"
    program.write_text(SERVICE)
    service = subprocess.Popen([sys.executable, program], start_new_session=True)
    try:
        wait_until(lambda: living_children({service.pid}) == 2, 10, what="two children")
        children = Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text().split()
        spawned = [pid for pid in children if Path(f"/proc/{pid}/comm").read_text().startswith("tripwire-")]
        subprocess.run(["kill", "-9", spawned[0]], check=True)
        # It stays a zombie until its parent looks: a dead child all the same.
        wait_until(lambda: living_children({service.pid}) == 1, 5, what="one child left")
    finally:
        os.killpg(service.pid, signal.SIGKILL)
        service.wait()
    assert living_children({service.pid}) == 0
