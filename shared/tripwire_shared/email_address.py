"""E-mail addresses: what one is, how it is kept and compared, and how people read it. Pure.

A domain is kept as DNS, browsers and identity providers hold it (`xn--…`), and shown in its own script.
"""

import re
import unicodedata

import idna

AT_MOST = 254
LOCAL_AT_MOST = 64
_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
# Most addresses: nothing to turn into anything, and right at a glance. Each of them obeys all rules below.
_PLAIN = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]+\.)+[a-z]+")
# Within one of these no letter looks like another; between them many do.
_SCRIPTS = frozenset(("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"))
NOT_ONE = "Not a valid e-mail address."
NO_DOMAIN = "Not a valid e-mail address: the part after the @ must be a domain with a dot."


def normalised_email(value: str) -> str:
    """As it is kept: without surrounding space, in lower case, the domain in its ASCII form. `bücher`, wide letters and
    the like name the same mailbox as `xn--…`. What is not ASCII before the @ stays as it is: the sign for kelvin in
    lower case would be somebody else's `k`."""
    local, at, domain = value.strip().rpartition("@")
    known = _ascii_domain(domain)
    return f"{local.lower() if local.isascii() else local}{at}{domain.lower() if known is None else known}"


def readable_email(email: str) -> str:
    """As people read it: the domain in its own script. Any other text stays as it is."""
    return _readable(email) if "xn--" in email and "@" in email else email


def both_forms(email: str) -> list[str]:
    """As we keep it and, where that differs, as others may have kept it: one mailbox."""
    readable = readable_email(email)
    return [email] if readable == email else [email, readable]


def email_problem(value: str) -> str | None:
    """The reason, or None: at most 254 characters, of them at most 64, all ASCII, before the @; a domain with a dot.
    Both are counted as they are kept; surrounding space is allowed."""
    if len(value) <= LOCAL_AT_MOST and _PLAIN.fullmatch(value):
        return None
    given = value.strip()
    # What is far too long is not even looked at: reading a domain takes longer than in proportion to its length.
    email = normalised_email(given) if len(given) <= AT_MOST else given
    if len(email) > AT_MOST:
        return f"At most {AT_MOST} characters."
    local, at, domain = email.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or ".." in local or local.startswith(".") or local.endswith("."):
        return NOT_ONE
    if len(local) > LOCAL_AT_MOST:
        return f"At most {LOCAL_AT_MOST} characters before the @."
    return _domain_problem(domain)


def domain_for_mail(email: str) -> str:
    """The domain of a valid address as DNS and mail servers know it."""
    domain = email.rpartition("@")[2]
    return _ascii_domain(domain) or domain


def _domain_problem(domain: str) -> str | None:
    labels = (_ascii_domain(domain) or "").split(".")
    # A number at the end makes it an IP address, not a domain.
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdecimal():
        return NO_DOMAIN
    if any(_mixes_scripts(idna.decode(label)) for label in labels if label.startswith("xn--")):
        return "Not a valid e-mail address: a word of the domain mixes letters of two alphabets."
    return None


def _mixes_scripts(label: str) -> bool:
    """Whether it may look like another domain (a Cyrillic letter among Latin ones): a slip, or an attack."""
    scripts = {unicodedata.name(character, "").partition(" ")[0] for character in label}
    return len(scripts & _SCRIPTS) > 1


def _readable(email: str) -> str:
    local, at, domain = email.rpartition("@")
    try:
        return f"{local}{at}{idna.decode(domain)}"
    except UnicodeError:
        return email


def _ascii_domain(domain: str) -> str | None:
    """None where it is no domain. By IDNA 2008 (not Python's own codec, for which ß is ss, somebody else's domain)."""
    if domain.isascii() and "xn--" not in domain.lower():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True).decode()
    except UnicodeError:
        return None
