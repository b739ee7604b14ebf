"""Every message of mails and customers' pages has its translation in each language, and no catalogue holds another."""

import io
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from deploy.local.services import ROOT
from tripwire_shared.answers.vocabulary import Language
from tripwire_shared.languages.catalogue import SOURCE, path_of

PYTHON = (
    "shared/tripwire_shared/languages/catalogue.py",
    "services/api/tripwire_api/routes/invitations.py",
)
TEMPLATES = ("services/api/tripwire_api/routes/templates/invitation.html", "shared/tripwire_shared/mail/templates/*")
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
JINJA = "jinja2.ext:babel_extract"


def messages_of(path: Path) -> set[tuple[str | None, object]]:
    method = "python" if path.suffix == ".py" else JINJA
    found = extract(method, io.BytesIO(path.read_bytes()), KEYWORDS, options={"encoding": "utf-8"})
    return {(context, message) for _, message, _, context in found}


def used() -> set[tuple[str | None, object]]:
    paths = [path for pattern in (*PYTHON, *TEMPLATES) for path in ROOT.glob(pattern)]
    assert len(paths) == 6
    return {message for path in paths for message in messages_of(path)}


@pytest.mark.parametrize("language", [language for language in Language if language is not SOURCE])
def test_a_catalogue_holds_each_message_and_no_other(language: Language) -> None:
    with path_of(language).open("rb") as file:
        catalogue = read_po(file, locale=language.value)
    translated = {
        (message.context, message.id)
        for message in catalogue
        if message.id
        and not message.fuzzy
        and all([message.string] if isinstance(message.string, str) else message.string)
    }
    assert used() == translated


@pytest.mark.parametrize("language", [language for language in Language if language is not SOURCE])
def test_a_translation_names_the_same_variables(language: Language) -> None:
    with path_of(language).open("rb") as file:
        catalogue = read_po(file, locale=language.value)
    for message in catalogue:
        if message.id:
            assert [str(error) for error in message.check(catalogue)] == []
            forms = [message.string] if isinstance(message.string, str) else message.string
            wanted = (message.id if isinstance(message.id, str) else message.id[1]).count("%(")
            assert all(form.count("%(") == wanted for form in forms), message.id
