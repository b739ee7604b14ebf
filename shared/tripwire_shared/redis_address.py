"""What REDIS_URL says: one server, or the Sentinels that know which server is the master now. Pure.

No reason repeats what was given: it may be a secret.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote

Place = tuple[str, int]

SCHEMES = ("redis", "rediss", "redis+sentinel", "rediss+sentinel")
REDIS_PORT, SENTINEL_PORT = 6379, 26379
# All of them silent, and the master too, must cost less than the sign of life that a worker owes (timings.py).
SENTINELS_AT_MOST = 9
# Files that TLS needs. Only arguments of TLS: redis-py takes any of its own from an address, time-outs too, and ours
# must hold.
TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_TLS = (*TLS_FILES, "ssl_cert_reqs", "ssl_check_hostname")
_SENTINEL = ("sentinel_username", "sentinel_password")
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
# By hand: urlsplit knows one host, and its newer versions refuse several in brackets.
_REST = re.compile(r"(?P<place>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?")
_PLACE = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:@,\s]+))(?::(?P<port>[0-9]{1,5}))?")
# A name that Sentinel itself allows.
_MASTER = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class RedisAddress:
    """`places`: the server, or where `master` is named the Sentinels that know it. `tls`: redis-py's arguments for it,
    None without TLS."""

    places: tuple[Place, ...]
    master: str
    database: int
    username: str | None = field(repr=False)
    password: str | None = field(repr=False)
    sentinel_username: str | None = field(repr=False)
    sentinel_password: str | None = field(repr=False)
    tls: dict[str, str | bool] | None

    @property
    def shown(self) -> str:
        """For people: where, and nothing secret."""
        places = ", ".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.places)
        return f"{self.master} of the Sentinels {places}" if self.master else places

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.password, self.sentinel_password)))


def read_redis_address(value: str) -> RedisAddress:
    """Raises ValueError with the reason."""
    if " " in value or not value.isprintable():
        raise ValueError("is not an address")
    scheme, _, rest = value.partition("://")
    if scheme not in SCHEMES:
        raise ValueError(f"must begin with {' or '.join(word + '://' for word in SCHEMES)}")
    if (parts := _REST.fullmatch(rest)) is None:
        raise ValueError("is not an address")
    by_sentinels = scheme.endswith("+sentinel")
    given = _parameters(parts["query"] or "", by_sentinels=by_sentinels)
    user, _, places = parts["place"].rpartition("@")
    username, _, password = user.partition(":")
    master, database = _path(parts["path"], by_sentinels=by_sentinels)
    return RedisAddress(
        places=_places(places, by_sentinels=by_sentinels),
        master=master,
        database=database,
        username=unquote(username) or None,
        password=unquote(password) or None,
        sentinel_username=given.get("sentinel_username") or None,
        sentinel_password=given.get("sentinel_password") or None,
        tls=_tls(given, wanted=scheme.startswith("rediss")),
    )


def _parameters(query: str, *, by_sentinels: bool) -> dict[str, str]:
    given = parse_qs(query, keep_blank_values=True)
    if not set(given) <= {*_TLS, *(_SENTINEL if by_sentinels else ())}:
        raise ValueError("has parameters that are not known")
    if any(len(values) > 1 for values in given.values()):
        raise ValueError("has a parameter twice")
    if given.get("sentinel_username") and not given.get("sentinel_password"):
        raise ValueError("has sentinel_username without sentinel_password")
    return {name: values[0] for name, values in given.items()}


def _places(text: str, *, by_sentinels: bool) -> tuple[Place, ...]:
    places = [_place(part, SENTINEL_PORT if by_sentinels else REDIS_PORT) for part in text.split(",")]
    if len(places) > 1 and not by_sentinels:
        raise ValueError("names several hosts, which needs redis+sentinel:// or rediss+sentinel://")
    if len(places) > SENTINELS_AT_MOST:
        raise ValueError(f"names more than {SENTINELS_AT_MOST} Sentinels")
    return tuple(dict.fromkeys(places))


def _place(text: str, default_port: int) -> Place:
    if not text or text.startswith(":"):
        raise ValueError("has no host")
    if (found := _PLACE.fullmatch(text)) is None:
        raise ValueError("is not an address")
    port = int(found["port"] or default_port)
    if not 1 <= port <= 65535:
        raise ValueError("is not an address")
    return unquote(found["v6"] or found["name"]), port


def _path(path: str, *, by_sentinels: bool) -> tuple[str, int]:
    master, number = "", path.removeprefix("/")
    if by_sentinels:
        master, _, number = number.partition("/")
        master = unquote(master)
        if not _MASTER.fullmatch(master):
            raise ValueError("must name the master after the Sentinels, as in host1,host2/NAME")
    if not re.fullmatch("[0-9]{0,9}", number, re.ASCII):
        raise ValueError("must end with a database's number, or without one")
    return master, int(number or 0)


def _tls(given: dict[str, str], *, wanted: bool) -> dict[str, str | bool] | None:
    tls: dict[str, str | bool] = {name: given[name] for name in _TLS if name in given}
    if not wanted:
        if tls:
            raise ValueError("has parameters of TLS, which needs rediss://")
        return None
    if "ssl_keyfile" in tls and "ssl_certfile" not in tls:
        raise ValueError("has ssl_keyfile without ssl_certfile")
    if tls.get("ssl_cert_reqs", "required") not in ("none", "optional", "required"):
        raise ValueError("must have ssl_cert_reqs=required, optional or none")
    if "ssl_check_hostname" in tls:
        word = str(tls["ssl_check_hostname"]).lower()
        if word not in _TRUTH:
            raise ValueError("must have ssl_check_hostname=true or ssl_check_hostname=false")
        tls["ssl_check_hostname"] = _TRUTH[word]
    return tls
