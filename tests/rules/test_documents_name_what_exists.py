"""Every relative link and every file named in README and the other documents exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.services import ROOT

# Where a short path in a document may begin, beside the document's own folder and the root.
PACKAGES = ("services/api/tripwire_api", "services/worker/tripwire_worker", "services/admin-ui/tripwire_admin_ui")
BEGINNINGS = ("services", *PACKAGES, "shared/tripwire_shared", "tests")
KINDS = "py|sql|md|sh|toml|txt|in|html|css|js|json|yml|yaml|conf|svg|png|example"
NO_DOCUMENTS = {".venv", ".data", "node_modules", "build", "dist"}
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(rf"`([\w.][\w./-]*\.(?:{KINDS}))`")
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def documents() -> list[Path]:
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    # Folders that begin with a dot are the tools', and none of ours.
    return sorted(path for path in found if not any(part in NO_DOCUMENTS or part[0] == "." for part in path.parts[:-1]))


def missing(document: Path) -> Iterator[str]:
    text = CODE_BLOCK.sub("", (ROOT / document).read_text(encoding="utf-8"))
    for target in LINK.findall(text):
        if not re.match(r"[a-z]+:|#", target) and not (ROOT / document.parent / target.partition("#")[0]).exists():
            yield f"the link {target}"
    for name in NAMED.findall(text):
        places = [document.parent / name, Path(name), *(Path(beginning) / name for beginning in BEGINNINGS)]
        kept_by_a_run = re.match(r"\.data/|\.env$|tests/bench/results/", name)
        if kept_by_a_run or any((ROOT / place).is_file() for place in places):
            continue
        # A bare name speaks of the folder or part that the sentence is about.
        if "/" in name or not any(_ours(path) for path in ROOT.rglob(name)):
            yield f"the file {name}"


def _ours(path: Path) -> bool:
    return not set(path.relative_to(ROOT).parts) & NO_DOCUMENTS


def test_there_are_documents() -> None:
    assert {Path("README.md"), Path("docs/architecture.md"), Path("shared/README.md")} <= set(documents())


@pytest.mark.parametrize("document", documents(), ids=str)
def test_every_link_and_named_file_exists(document: Path) -> None:
    assert list(missing(document)) == []


@pytest.mark.parametrize("decision", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda path: path.stem)
def test_a_decision_answers_the_same_questions_on_one_page(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")
    number = decision.name[:4]
    assert text.startswith(f"# {number}. ")
    assert sum(other.name.startswith(number) for other in decision.parent.glob("*.md")) == 1, "two with one number"
    for heading in ("Question", "Choice", "Why", "What it costs", "What would change it"):
        assert f"**{heading}.**" in text
    assert len(text.splitlines()) <= 35
