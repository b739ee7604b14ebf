"""What the text of a variable may be. Each rule gives the value or raises ValueError with the reason. Pure, but
that the certificates which an address names are read.

No reason repeats what was given: it may be a secret.
"""

import ipaddress
import re
import ssl
import unicodedata
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

from tripwire_shared.email_address import email_problem
from tripwire_shared.redis_address import TLS_FILES, read_redis_address
from tripwire_shared.time_zone import time_zone_problem

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SECRET_KEY_AT_LEAST = 32
LINE_AT_MOST = 100
# Control characters, ends of lines and paragraphs, halves of a pair.
_NO_TEXT = frozenset({"Cc", "Zl", "Zp", "Cs"})

_HOST = re.compile(r"[A-Za-z0-9._:-]+")
# A host's full name as mail servers are told it (RFC 5321 4.1.2): with a dot, and not an IP address.
_FULL_NAME = re.compile(
    r"(?=.{1,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?!\d+$)[A-Za-z0-9-]*[A-Za-z0-9]"
)
_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
# Those of libpq; with any other it refuses the address at the first connection.
_DATABASE_PARAMETERS = frozenset({
    "host", "hostaddr", "port", "dbname", "user", "password", "passfile", "require_auth", "channel_binding",
    "connect_timeout", "client_encoding", "options", "application_name", "fallback_application_name",
    "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "replication",
    "gssencmode", "sslmode", "sslnegotiation", "sslcompression", "sslcert", "sslkey", "sslkeylogfile",
    "sslpassword", "sslcertmode", "sslrootcert", "sslcrl", "sslcrldir", "sslsni", "requirepeer",
    "ssl_min_protocol_version", "ssl_max_protocol_version", "krbsrvname", "gsslib", "gssdelegation", "service",
    "target_session_attrs", "load_balance_hosts",
})  # fmt: skip


def text(value: str) -> str:
    return value


def secret_key(value: str) -> str:
    """All that is signed hangs on it, and can be tried out by whoever holds a link: it must not be guessed."""
    if value and len(value) < SECRET_KEY_AT_LEAST:
        raise ValueError(f"must have at least {SECRET_KEY_AT_LEAST} characters")
    return value


def one_of(*words: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value

    return parse


def one_line(value: str) -> str:
    """Text that people read, in one line. No-break spaces and joined signs are welcome."""
    if len(value) > LINE_AT_MOST or any(unicodedata.category(character) in _NO_TEXT for character in value):
        raise ValueError(f"must be one line of at most {LINE_AT_MOST} characters, none of them a control character")
    return value.strip()


def time_zone(value: str) -> str:
    if time_zone_problem(value) is not None:
        raise ValueError("must be the name of a time zone, such as Asia/Almaty or UTC")
    return value


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise ValueError("must be a whole number") from None
        if not low <= number <= high:
            raise ValueError(f"must be from {low} to {high}")
        return number

    return parse


def seconds(low: float, high: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            raise ValueError("must be a number of seconds") from None
        if not low <= number <= high:  # also refuses nan
            raise ValueError(f"must be from {low:g} to {high:g} seconds")
        return number

    return parse


def truth(value: str) -> bool:
    if value.lower() not in _WORDS:
        raise ValueError("must be true or false")
    return _WORDS[value.lower()]


def host(value: str) -> str:
    """A name or an IP address, without scheme and port."""
    if value and not _HOST.fullmatch(value):
        raise ValueError("must be a host's name or IP address alone")
    return value


def url(*schemes: str, parameters: frozenset[str] = frozenset()) -> Callable[[str], str]:
    """An address with one of `schemes`, a host, and no other query parameters than `parameters`."""

    def parse(value: str) -> str:
        if not value:
            return value
        try:
            parts = urlsplit(value)
            _ = parts.port  # raises ValueError where it is no port
        except ValueError:
            raise ValueError("is not an address") from None
        if parts.scheme not in schemes:
            raise ValueError(f"must begin with {' or '.join(scheme + '://' for scheme in schemes)}")
        if " " in value or not value.isprintable() or parts.fragment:
            raise ValueError("is not an address")
        given = parse_qs(parts.query, keep_blank_values=True)
        if not set(given) <= parameters:
            raise ValueError("has parameters that are not known" if parameters else "must not have parameters")
        if not parts.hostname and "host" not in given:  # PostgreSQL's may name a socket's folder there
            raise ValueError("has no host")
        return value

    return parse


def database_url(value: str) -> str:
    url("postgresql", "postgres", parameters=_DATABASE_PARAMETERS)(value)
    if value and len(urlsplit(value).path) < 2:
        raise ValueError("names no database")
    if re.search("%(?![0-9A-Fa-f]{2})", value):
        raise ValueError("has a % that escapes nothing (write %25)")
    return value


def redis_url(value: str) -> str:
    """Its certificates are read too: a file that is missing is said at the start, not by each connection."""
    if value:
        tls = read_redis_address(value).tls or {}
        _check_certificates(*(str(tls[name]) if name in tls else None for name in TLS_FILES))
    return value


def _check_certificates(ca_certs: str | None, certfile: str | None, keyfile: str | None) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_certs is not None:
        try:
            context.load_verify_locations(cafile=ca_certs)
        except OSError as error:  # SSLError is one
            raise ValueError(f"names a file in ssl_ca_certs that cannot be read ({type(error).__name__})") from None
    if certfile is not None:
        try:
            # The empty password: OpenSSL would ask for one at the terminal, and wait.
            context.load_cert_chain(certfile, keyfile, password="")
        except OSError as error:
            names = "ssl_certfile and ssl_keyfile" if keyfile else "ssl_certfile"
            raise ValueError(f"names a file in {names} that cannot be read ({type(error).__name__})") from None


def smtp_url(value: str) -> str:
    url("smtp", "smtps", parameters=frozenset({"starttls"}))(value)
    for word in parse_qs(urlsplit(value).query, keep_blank_values=True).get("starttls", []):
        if word.lower() not in ("true", "false", "1", "0", "yes", "no"):
            raise ValueError("must have starttls=true or starttls=false")
    parts = urlsplit(value)
    if value and not re.fullmatch(r"[\w.:-]+", parts.hostname or ""):
        raise ValueError("has a host that is no name and no IP address")
    for part in (parts.username or "", parts.password or ""):
        if not (unquote(part).isascii() and unquote(part).isprintable()):
            raise ValueError("has a user or a password with other characters than printable ASCII")
    return value


def networks(value: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in value.split(",") if part.strip())
    except ValueError:
        raise ValueError("must be networks such as 127.0.0.1/32, separated by commas") from None


def mail_address(value: str) -> str:
    if value != value.strip() or email_problem(value):
        raise ValueError("is not an e-mail address")
    return value


def ehlo_name(value: str) -> str:
    """What a mail server is greeted with: a full name, or the literal of an address, as [192.0.2.1]."""
    if value and not _FULL_NAME.fullmatch(value) and not _is_address_literal(value):
        raise ValueError("must be a host's full name in ASCII, with a dot, or an IP address as [192.0.2.1] or [IPv6:…]")
    return value


def _is_address_literal(value: str) -> bool:
    if not (value.isascii() and value.startswith("[") and value.endswith("]")):
        return False
    inner = value[1:-1]
    try:
        if inner.lower().startswith("ipv6:"):
            return not ipaddress.IPv6Address(inner[5:]).scope_id
        ipaddress.IPv4Address(inner)
    except ValueError:
        return False
    return True
