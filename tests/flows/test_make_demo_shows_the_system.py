"""`make demo`: the whole tour on a real system of its own, and what it says where something is not as promised."""

import io
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from deploy.demo import tour
from deploy.demo.show import Show
from deploy.demo.stack import DemoStack
from deploy.local.services import ROOT

# The virtual environment of this test run serves as the clone's: `-o` keeps make from renewing it.
MAKE_DEMO = ("make", "-o", f"{sys.prefix}/run.stamp", "demo", f"VENV={sys.prefix}")


@pytest.mark.timeout(120)
def test_the_tour_sees_everything_that_is_promised(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "NO_COLOR": "1"}
    answer = subprocess.run(MAKE_DEMO, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=110, check=False)

    print(answer.stdout)
    assert answer.returncode == 0, answer.stderr
    assert "✗" not in answer.stdout
    for seen in (
        "202 status accepted, mode async, in",
        "the worker made the customer: provisioned",
        "To: anna@example.com",
        "409 E-mail address taken",
        "201 status provisioned, mode sync, fallback true",
        "Type: CRITICAL",
        "after Redis' return",
        "Type: RESOLVED",
        "201 status provisioned, mode sync, fallback false",
        "Type: SWITCH",
        "were as promised",
    ):
        assert seen in answer.stdout, seen
    assert list(tmp_path.glob("tripwire-*")) == [], "nothing is left behind"
    assert not [one for one in psutil.process_iter() if _works_in(one, tmp_path)]


@pytest.mark.long
def test_what_differs_is_said_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tour, "DEMO_ALERT_LIMIT", 2.0)
    out = io.StringIO()
    show = Show(out)
    stack = DemoStack(tmp_path, stop_requested=lambda: False, environ={"TELEGRAM_API_URL": "http://127.0.0.1:9"})
    try:
        stack.start()
        tour.Tour(stack, show).switch()
    finally:
        stack.stop()
    assert show.differences == ["no SWITCH alert came"]
    assert "✗ no SWITCH alert came (promised: an alert of type SWITCH)" in out.getvalue()


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()).is_relative_to(folder)
    except (psutil.Error, OSError):
        return False
