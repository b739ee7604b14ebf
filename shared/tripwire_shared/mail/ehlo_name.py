"""What a mail server is greeted with: MAIL_EHLO_NAME, else this host's full name, else its address as [192.0.2.1]."""

import contextlib
import socket
from ipaddress import IPv6Address, ip_address

from tripwire_shared.network.bounded_call import BoundedCalls, TookTooLong
from tripwire_shared.setting_rules import ehlo_name
from tripwire_shared.timings import OWN_NAME_LOOKUP_LIMIT


class EhloName:
    """Safe for threads. `configured`: a checked MAIL_EHLO_NAME, or empty."""

    def __init__(self, configured: str) -> None:
        # Not known yet: None; this host has no full name: empty.
        self._name: str | None = configured or None
        # One at a time: while a name server is silent, only one connection in a while waits for it.
        self._look_ups = BoundedCalls(OWN_NAME_LOOKUP_LIMIT, at_once=1)

    def on(self, connection: socket.socket) -> str:
        """A name with a dot, or the literal of the address that the connection goes out from."""
        if self._name is None:
            # A name server that is away: this connection does without a name, and the next one asks again.
            with contextlib.suppress(TookTooLong, OSError):
                self._name = self._look_ups.run(_full_name)
        return self._name or _literal(connection)


def _full_name() -> str:
    """As `hostname -f` finds it; empty where there is none. Raises OSError where that cannot be found out now."""
    own = socket.gethostname()
    candidates = [own]
    if not _is_full_name(own):
        try:
            candidates += [found[3] for found in socket.getaddrinfo(own, None, flags=socket.AI_CANONNAME)]
        except socket.gaierror as error:
            if error.errno == socket.EAI_AGAIN:
                raise
    return next(filter(_is_full_name, candidates), "")


def _is_full_name(name: str) -> bool:
    try:
        return bool(ehlo_name(name)) and not name.startswith("[") and not name.lower().startswith("localhost.")
    except ValueError:
        return False


def _literal(connection: socket.socket) -> str:
    address = ip_address(connection.getsockname()[0].partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return f"[IPv6:{address}]"
    return f"[{getattr(address, 'ipv4_mapped', None) or address}]"
