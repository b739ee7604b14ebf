"""E-mail addresses: what one is, and the one way in which it is written, kept and compared. Pure."""

import re

import idna

_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
AT_MOST = 254


def normalised_email(value: str) -> str:
    """Without surrounding space, in lower case, an international domain in its own script: `xn--…`, wide letters and
    the like name the same mailbox."""
    local, at, domain = value.strip().rpartition("@")
    known = _ascii_domain(domain)
    return f"{local.lower()}{at}{domain.lower() if known is None else _readable(known)}"


def email_problem(value: str) -> str | None:
    """The reason, or None: at most 254 characters, ASCII before the @, a domain with a dot. Surrounding space is
    allowed."""
    email = normalised_email(value)
    local, at, domain = email.rpartition("@")
    if len(email) > AT_MOST:
        return f"At most {AT_MOST} characters."
    if not at or not _LOCAL.fullmatch(local) or ".." in local or local.startswith(".") or local.endswith("."):
        return "Not a valid e-mail address."
    labels = (_ascii_domain(domain) or "").split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        return "Not a valid e-mail address: the part after the @ must be a domain with a dot."
    return None


def domain_for_mail(email: str) -> str:
    """The domain of a valid address as DNS and mail servers know it."""
    domain = email.rpartition("@")[2]
    return _ascii_domain(domain) or domain


def _ascii_domain(domain: str) -> str | None:
    """None where it is no domain. By IDNA 2008 (not Python's own codec, for which ß is ss, somebody else's domain)."""
    if domain.isascii() and "xn--" not in domain.lower():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True).decode()
    except UnicodeError:
        return None


def _readable(domain: str) -> str:
    return idna.decode(domain) if "xn--" in domain else domain
