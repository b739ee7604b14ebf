"""A class or id that a style sheet names stands somewhere in the pages: a renamed one would leave them unstyled."""

import re
from pathlib import Path

import pytest

UI = Path(__file__).resolve().parents[2] / "services/admin-ui/tripwire_admin_ui"
# What rq-dashboard draws; what Python puts together, and what the charts' library draws.
OF_OTHERS = {"queue.css"}
PUT_TOGETHER = {"critical", "u-cursor-x"}
WORDS = {
    word
    for pattern in ("templates/**/*.html", "static/*.js", "**/*.py")
    for file in UI.glob(pattern)
    for word in re.findall(r"[\w-]+", file.read_text(encoding="utf-8"))
}


@pytest.mark.parametrize("sheet", sorted(file.name for file in (UI / "static").glob("*.css")))
def test_each_name_is_used(sheet: str) -> None:
    text = re.sub(r"/\*.*?\*/", "", (UI / "static" / sheet).read_text(encoding="utf-8"), flags=re.DOTALL)
    named = set(re.findall(r"[.#]([a-zA-Z][\w-]*)", " ".join(re.findall(r"[^{}]+(?=\{)", text))))
    assert sheet in OF_OTHERS or named - WORDS - PUT_TOGETHER == set()
