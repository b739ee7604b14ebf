"""Which address a client has, although proxies stand between. Pure."""

import ipaddress
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

from tripwire_shared.setting_rules import Network


def address_behind(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The last address that no trusted proxy vouches for: `peer`, or one named in X-Forwarded-For; "unknown" where the
    peer has none.

    Read from the right, since everything left of an untrusted address was written by whoever is there.
    """
    address = _parsed(peer)
    hops = forwarded_for.split(",")
    while address and hops and any(address in network for network in trusted):
        if (said := _parsed(hops.pop().strip())) is None:
            break
        address = said
    return str(address or "unknown")


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    # How a server that listens on :: sees a client with an IPv4 address.
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
