"""Without SMTP_URL each mail is a file under `.data/mail/`, whole from the first moment and for its owner only."""

from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.resources import Resources
from tests.shared.rows import messages, provisioned


def test_one_file_a_mail(
    resources_for: Callable[..., Resources], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    resources = resources_for()
    provisioned(resources)
    provisioned(resources, "boris@example.com")
    while resources.mails.run_once():
        pass
    folder = tmp_path / ".data" / "mail"
    files = sorted(folder.iterdir())
    read = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    assert sorted(mail["To"] for mail in read) == ["anna@example.com", "boris@example.com"]
    assert [file.suffix for file in files] == [".eml", ".eml"]
    assert [oct(path.stat().st_mode & 0o777) for path in (folder, *files)] == ["0o700", "0o600", "0o600"]


def test_a_folder_that_cannot_be_written_is_a_failure_like_any_other(
    resources_for: Callable[..., Resources], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".data").write_text("in the way")
    resources = resources_for()
    provisioned(resources)
    resources.mails.run_once()
    [row] = messages(resources.database, "mail")
    assert (row.status, row.last_error) == ("pending", "The mail could not be written (NotADirectoryError).")
