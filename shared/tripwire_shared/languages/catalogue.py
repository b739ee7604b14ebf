"""The catalogues of what customers read. English is the source: its messages are their own translation.

They are read from their .po files when a process starts: nothing compiled has to be kept or shipped.
"""

from dataclasses import dataclass
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from tripwire_shared.answers.vocabulary import Language

FOLDER = Path(__file__).parent
SOURCE = Language.ENGLISH


@dataclass(frozen=True)
class Academy:
    """What customers' texts call things; an empty name stands for the language's own default, an empty address or
    contact for none."""

    name: str = ""
    course: str = ""
    login_url: str = ""
    support_contact: str = ""
    language: Language = SOURCE

    def words(self, catalogue: NullTranslations) -> dict[str, str]:
        """As the templates of mails and pages name them."""
        return {
            "academy_name": self.name or catalogue.gettext("Academy"),
            "course_name": self.course or catalogue.gettext("the entry course"),
            "login_url": self.login_url,
            "support_contact": self.support_contact,
        }


def path_of(language: Language) -> Path:
    return FOLDER / f"customers.{language}.po"


def catalogue(language: Language) -> NullTranslations:
    if language is SOURCE:
        return NullTranslations()
    with path_of(language).open("rb") as file:
        messages = read_po(file, locale=language.value)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return GNUTranslations(compiled)
