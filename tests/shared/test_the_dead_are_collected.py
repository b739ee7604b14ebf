"""A process whose children leave dead processes behind, where nobody else collects them."""

import subprocess
import sys

import pytest

# A child leaves three of its own behind and ends; a second one is somebody's who asks for its end himself.
SCRIPT = """
import os, subprocess, time
import psutil
from tripwire_shared.orphans import adopt_orphans, collect_orphans

adopt_orphans()
own = subprocess.Popen(["sh", "-c", "true & true & sleep 0.1 & exit 7"])
until = time.monotonic() + 10
while time.monotonic() < until:
    collect_orphans({own.pid})
    own.poll()
    if own.returncode is not None and not psutil.Process().children():
        break
    time.sleep(0.01)
print(own.returncode, [child.status() for child in psutil.Process().children()])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lets a process adopt")
def test_orphans_are_and_the_own_child_is_left_to_its_starter() -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=30, check=False)
    assert (ended.stdout.strip(), ended.stderr) == ("7 []", "")
