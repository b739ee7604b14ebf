"""Which address a client has, although proxies stand between, and what counts as one client. Pure."""

import ipaddress
import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

from tripwire_shared.setting_rules import Network

# Nobody has so many proxies; whoever writes more entries makes us read no more of them.
HOPS_AT_MOST = 32
# What is left of an IPv6 address that belongs to one customer of a provider: the smallest network that is given out.
IPV6_CLIENT_PREFIX = 64
# An entry as proxies write it: an address, in brackets or not, perhaps with a port. Without brackets only an IPv4
# address can have a port: `::1:443` is an address.
_ENTRY = re.compile(r"\[(?P<inside>[^\[\]]*)\](?::\d{1,5})?|(?P<ipv4>[^:\[\]]*):\d{1,5}|(?P<plain>[^\[\]]*)", re.ASCII)


def address_behind(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The last address that no trusted proxy vouches for: `peer`, or one named in X-Forwarded-For; "unknown" where the
    peer has none. `forwarded_for`: several headers joined by commas, in their order.

    Read from the right, since everything left of an untrusted address was written by whoever is there.
    """
    address = _address(peer)
    hops = forwarded_for.rsplit(",", HOPS_AT_MOST)[-HOPS_AT_MOST:]
    while address and hops and any(address in network for network in trusted):
        hop = hops.pop().strip()
        if not hop:  # an empty element of a list says nothing (RFC 9110, section 5.6.1)
            continue
        if (said := _entry(hop)) is None:
            break
        address = said
    return str(address or "unknown")


def over_tls(peer: str, scheme: str, forwarded_proto: str, trusted: Sequence[Network]) -> bool:
    """Whether the client itself speaks TLS: with us, or with a trusted proxy that says so (X-Forwarded-Proto, of which
    the first entry is the client's connection)."""
    if scheme == "https":
        return True
    address = _address(peer)
    vouched = address is not None and any(address in network for network in trusted)
    return vouched and forwarded_proto.partition(",")[0].strip().lower() == "https"


def one_client(address: str) -> str:
    """What a limit counts as one client: an IPv4 address, the /64 of an IPv6 address, any other text as it is."""
    found = _address(address)
    if isinstance(found, IPv6Address):
        return str(ipaddress.IPv6Network((found, IPV6_CLIENT_PREFIX), strict=False))
    return address if found is None else str(found)


def _entry(hop: str) -> IPv4Address | IPv6Address | None:
    if len(hop) > 1 and hop[0] == hop[-1] == '"':
        hop = hop[1:-1]
    match = _ENTRY.fullmatch(hop)
    if match is None:
        return None
    return _address(match["inside"] or match["ipv4"] or match["plain"] or "")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        # A zone (`fe80::1%eth0`) names an interface of whoever wrote it, and may be any text.
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # How a server that listens on :: sees a client with an IPv4 address.
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
