"""What lists are searched in: names and addresses, folded such that neither case nor Unicode form matters. Pure.

Folded here and not in PostgreSQL: with the collation C it knows the case of ASCII letters alone, and its trigrams know
no other letters either. So what is not ASCII is written in capitals, of which folded text has none.
"""

import re
import unicodedata
from functools import cache

from tripwire_shared.email_address import both_forms

# Letters of these begin what stands for a character, others go on: part of a text is found only where it is meant.
_BEGIN, _ON, _BEGIN_LONG = "ABCDEFGHIJKL", "NOPQRSTUVWXYZ", "M"
_ASCII = 0x80
# As many characters have three letters: all of Latin, Greek, Cyrillic, Armenian, Hebrew and Arabic script.
_SHORT = len(_BEGIN) * len(_ON) ** 2
# What nobody sees or types: joiners, direction controls, soft hyphens, variation selectors.
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
# Letters that people type for one another: i for the dotless one and for the dotted capital, the Cyrillic e for yo.
_ALIKE = str.maketrans({"\u0131": "i", "\u0307": None, "\u0451": "\u0435"})


def search_text(full_name: str, email: str) -> str:
    """What is stored beside a name and an address; the address in both of its forms."""
    return folded(" ".join((full_name, *both_forms(email))))


def searched(part: str | None) -> str | None:
    """A pattern for LIKE that finds `part` anywhere in a stored text; None where there is nothing to look for."""
    return _anywhere(folded(part or ""))


def containing(part: str | None) -> str | None:
    """The same for ILIKE and for texts that are stored as they are: case counts where PostgreSQL does not know it."""
    return _anywhere(unicodedata.normalize("NFC", part or "").strip())


def _anywhere(part: str) -> str | None:
    """LIKE's own signs are taken literally: `_` and `%` stand in many addresses."""
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%" if escaped else None


def folded(text: str) -> str:
    """`text` in ASCII, such that it holds a part of another text exactly where people would say so."""
    if text.isascii():
        return " ".join(text.lower().split())
    text = unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).casefold()
    text = unicodedata.normalize("NFKC", text).translate(_ALIKE)
    return " ".join(text.split()).translate(_codes())


class _Codes(dict[int, str]):
    """The code of each character by its number. What is not among them is written down anew each time: there are a
    million."""

    def __missing__(self, point: int) -> str:
        return _BEGIN_LONG + _on(point, 6)


@cache
def _codes() -> _Codes:
    codes = _Codes({point: chr(point) for point in range(_ASCII)})
    for number in range(_SHORT):
        begin, rest = divmod(number, len(_ON) ** 2)
        codes[_ASCII + number] = _BEGIN[begin] + _on(rest, 2)
    return codes


def _on(number: int, letters: int) -> str:
    code = ""
    for _ in range(letters):
        number, digit = divmod(number, len(_ON))
        code = _ON[digit] + code
    return code
